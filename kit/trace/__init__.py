"""What happened in a run: events, and the recorder that keeps them."""

from kit.trace.recorder import Recorder
from kit.trace.recording import Event, Frame, Recording, Region

__all__ = ["Event", "Frame", "Recorder", "Recording", "Region"]
