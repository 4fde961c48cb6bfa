// What the widgets need of xterm, as one global name: see `make terminal`.
export { Terminal } from "@xterm/xterm";
export { FitAddon } from "@xterm/addon-fit";
export { default as style } from "@xterm/xterm/css/xterm.css";
