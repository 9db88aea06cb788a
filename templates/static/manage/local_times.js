"use strict";

/* Adds the visitor's own time to the practice's, when their clocks differ. The page is complete without it. */
(function () {
  const language = document.documentElement.lang === "en" ? "en-IN" : document.documentElement.lang;
  // As the page itself writes them: AM and PM in English, the part of the day in Hindi.
  const clock = { hour: "numeric", minute: "2-digit", ...(language === "hi" && { dayPeriod: "short" }) };
  const full = { weekday: "long", day: "numeric", month: "long", ...clock };
  const brief = { weekday: "short", ...clock };
  const written = (start, options) => start.toLocaleString(language, options).replace(/[ap]m$/, (half) => half.toUpperCase());

  function yoursOf(time, options) {
    const start = new Date(time.dateTime);
    const theirs = start.toLocaleString(language, { ...full, timeZone: time.dataset.timeZone });
    const differs = theirs !== start.toLocaleString(language, full);
    return differs ? `${time.dataset.yours} ${written(start, options)}` : "";
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
