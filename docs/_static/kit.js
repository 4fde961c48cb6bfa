// What scrolls must be reachable by keyboard.
for (const pre of document.querySelectorAll("div.highlight pre")) pre.tabIndex = 0;
