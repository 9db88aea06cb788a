"use strict";

/* Adds the visitor's own time to the practice's, when their clocks differ. The page is complete without it. */
(function () {
  const full = { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" };
  const brief = { weekday: "short", hour: "numeric", minute: "2-digit" };
  const language = document.documentElement.lang === "en" ? "en-IN" : document.documentElement.lang;

  function yoursOf(time, options) {
    const start = new Date(time.dateTime);
    const theirs = start.toLocaleString(language, { ...full, timeZone: time.dataset.timeZone });
    const differs = theirs !== start.toLocaleString(language, full);
    return differs ? `${time.dataset.yours} ${start.toLocaleString(language, options)}` : "";
  }

  const line = document.getElementById("your-time");
  for (const time of document.querySelectorAll("time[data-time-zone]")) {
    const yours = yoursOf(time, line ? full : brief);
    if (!yours) continue;
    const place = line || time.appendChild(document.createElement("span"));
    place.className = "hint";
    place.textContent = yours;
    place.hidden = false;
  }
})();
