"use strict";

/* Money, days and times as people write them. Days are "2026-12-01" strings in the practice's time zone. */
(function (app) {
  const language = document.documentElement.lang || "en";
  const locale = language === "en" ? "en-IN" : language;
  const clockLocale = language === "en" ? "en-US" : language;
  // Hindi says which part of the day is meant, as our mails do; English has AM and PM.
  const clockParts = { hour: "numeric", minute: "2-digit", ...(language === "hi" && { dayPeriod: "short" }) };
  const DAY = 24 * 60 * 60 * 1000;

  /** `amount` is in the smallest unit (paise, cents). */
  function money(amount, currency) {
    const digits = amount % 100 === 0 ? 0 : 2;
    const options = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
    return new Intl.NumberFormat(locale, options).format(amount / 100);
  }

  function clock(moment, timeZone) {
    return new Date(moment).toLocaleTimeString(clockLocale, { ...clockParts, timeZone });
  }

  /** The day on which `moment` falls in `timeZone`, as "2026-12-01". */
  function dayIn(moment, timeZone) {
    const options = { timeZone, year: "numeric", month: "2-digit", day: "2-digit" };
    const parts = new Intl.DateTimeFormat("en-US", options).formatToParts(new Date(moment));
    const { year, month, day } = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
    return `${year}-${month}-${day}`;
  }

  function midnight(day) {
    return new Date(`${day}T00:00:00Z`);
  }

  function addDays(day, count) {
    return new Date(midnight(day).getTime() + count * DAY).toISOString().slice(0, 10);
  }

  /** The first day of the month that lies `count` months after the month of `day`. */
  function addMonths(day, count) {
    const [year, month] = day.split("-").map(Number);
    return new Date(Date.UTC(year, month - 1 + count, 1)).toISOString().slice(0, 10);
  }

  /** 0 for Monday to 6 for Sunday. */
  function weekday(day) {
    return (midnight(day).getUTCDay() + 6) % 7;
  }

  function dayName(day, options = { weekday: "long", day: "numeric", month: "long", year: "numeric" }) {
    return midnight(day).toLocaleDateString(locale, { ...options, timeZone: "UTC" });
  }

  function zoneName(timeZone, moment = Date.now()) {
    const parts = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: "shortOffset" }).formatToParts(moment);
    const offset = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
    return `${timeZone.replaceAll("_", " ")} (${offset})`;
  }

  const visitorZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

  /** Whether the visitor's clock differs from the practice's; zone names do not tell (Asia/Calcutta, Asia/Kolkata). */
  function clocksDiffer(moment, timeZone) {
    const here = visitorZone();
    return clock(moment, here) !== clock(moment, timeZone) || dayIn(moment, here) !== dayIn(moment, timeZone);
  }

  /** The visitor's own time for `moment`, with the weekday when it is another day there; "" when clocks agree. */
  function visitorTime(moment, timeZone) {
    if (!clocksDiffer(moment, timeZone)) return "";
    const here = visitorZone();
    const sameDay = dayIn(moment, here) === dayIn(moment, timeZone);
    const day = dayName(dayIn(moment, here), { weekday: "short", day: "numeric", month: "short" });
    return sameDay ? clock(moment, here) : `${clock(moment, here)}, ${day}`;
  }

  app.formats = {
    money, clock, dayIn, addDays, addMonths, weekday, dayName, zoneName, visitorZone, clocksDiffer, visitorTime,
  };
})((window.MindfulQALB = window.MindfulQALB || {}));
