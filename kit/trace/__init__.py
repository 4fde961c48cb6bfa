"""What happened in a run: events, and the recorder that keeps them."""

from kit.trace.debugger import Debugger
from kit.trace.history import History
from kit.trace.recorder import Recorder
from kit.trace.recording import Event, Frame, Recording, Region
from kit.trace.tape import Tape, record_to
from kit.trace.tracer import Trace, TraceEvent

__all__ = ["Debugger", "Event", "Frame", "History", "Recorder", "Recording", "Region", "Tape"]
__all__ += ["Trace", "TraceEvent", "record_to"]
