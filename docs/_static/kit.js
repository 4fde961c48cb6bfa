// What the theme leaves out for readers who do not see the page or do not use a mouse.
for (const pre of document.querySelectorAll("div.highlight pre")) pre.tabIndex = 0; // they scroll
for (const caption of document.querySelectorAll(".caption[role=heading]")) caption.ariaLevel = "2";
document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "Contents of the site");
