// The server renders and escapes everything; this only fetches the live part again.
"use strict";

const every = 1000; // milliseconds

async function refresh() {
  try {
    const response = await fetch("/live", { cache: "no-store" });
    const selecting = String(document.getSelection()) !== "";
    if (response.ok && !selecting) {
      document.getElementById("live").innerHTML = await response.text();
    }
  } catch {
    document.title = "recoup demo (ended)";
    return;
  }
  setTimeout(refresh, every);
}

setTimeout(refresh, every);
