"use strict";

/* Adds the visitor's own time below the practice's, when their clocks differ. The page is complete without it. */
(function () {
  const time = document.querySelector("time[data-time-zone]");
  const line = document.getElementById("your-time");
  if (!time || !line) return;
  const start = new Date(time.dateTime);
  const options = { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" };
  const language = document.documentElement.lang === "en" ? "en-IN" : document.documentElement.lang;
  const theirs = start.toLocaleString(language, { ...options, timeZone: time.dataset.timeZone });
  const yours = start.toLocaleString(language, options);
  if (theirs === yours) return;
  line.textContent = `${time.dataset.yours} ${yours}`;
  line.hidden = false;
})();
