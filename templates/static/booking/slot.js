"use strict";

/* Step 2: a day and a time on it. */
(function (app) {
  const { page, draft, formats } = app;
  const LOOK_AHEAD = 14; // days searched for the first free one
  let latest = 0; // the newest request; answers to older ones come too late to be shown
  let shownFor = null; // the session whose calendar stands on the page
  let slots = [];

  const zone = () => app.session.practice().timeZone;
  const today = () => formats.dayIn(Date.now(), zone());
  const lastDay = () => formats.addDays(today(), Number(document.body.dataset.horizonDays));
  const freeOf = (list) => list.filter((slot) => slot.available);

  async function fetchSlots(date) {
    const { sessionType, format } = app.session.chosen();
    const { body } = await app.api.post("/api/availability", { date, sessionType, format });
    const found = body.slots.map((slot) => ({ ...slot, available: slot.available || app.hold.keeps(slot.start) }));
    app.month.setEmpty(date, freeOf(found).length === 0);
    return found;
  }

  /** The days of a month that have something free, in order; the grid learns of them too. */
  async function fetchFreeDays(month) {
    const { code, sessionType, format } = app.session.chosen();
    const { body } = await app.api.post("/api/availability", { month, sessionType, format });
    const days = body.days.map((day) => day.date);
    if (code === app.session.chosen().code) app.month.setFree(month, new Set([...days, draft.date]));
    return days;
  }

  /** Mark the days of the month that is shown; without an answer they just stay unmarked. */
  function markMonth(month) {
    fetchFreeDays(month).catch(() => {});
  }

  function slotButton(slot) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "slot", disabled: !slot.available });
    button.dataset.slot = slot.start;
    button.setAttribute("aria-pressed", String(slot.available && slot.start === draft.slot?.start));
    button.append(formats.clock(slot.start, zone()));
    const yours = formats.visitorTime(slot.start, zone());
    const note = slot.available ? yours && app.text("zone.yours", { time: yours }) : app.text("times.taken");
    if (note) button.append(" ", Object.assign(document.createElement("small"), { textContent: note }));
    return button;
  }

  function drawSlots() {
    page.byId("slots").replaceChildren(...slots.map((slot) => {
      const item = document.createElement("li");
      item.append(slotButton(slot));
      return item;
    }));
  }

  function drawTimes(date) {
    const count = freeOf(slots).length;
    if (!freeOf(slots).some((slot) => slot.start === draft.slot?.start)) draft.slot = null;
    page.byId("times-heading").textContent = app.text("times.on", { day: formats.dayName(date) });
    page.byId("times-status").textContent = count ? app.text("times.count", { count }) : app.text("times.none");
    document.querySelector("[data-action=next-free-day]").hidden = count > 0;
    drawSlots();
  }

  function clearTimes(sentence) {
    slots = [];
    drawSlots();
    page.clearFieldErrors(page.stepOf("slot"));
    page.hideProblem();
    page.byId("times-status").textContent = sentence;
    document.querySelector("[data-action=next-free-day]").hidden = true;
  }

  /** Run a request for times; the person may press another day meanwhile, and then its answer is not wanted. */
  async function ask(sentence, task) {
    const mine = ++latest;
    clearTimes(sentence);
    try {
      await task(() => mine === latest);
    } catch (problem) {
      if (mine !== latest || page.currentStep() !== "slot") return;
      page.byId("times-status").textContent = "";
      await app.flow.report(problem, () => ask(sentence, task));
    }
  }

  function showDay(date) {
    draft.date = date;
    return ask(app.text("times.looking"), async (wanted) => {
      const found = await fetchSlots(date);
      if (!wanted()) return;
      slots = found;
      drawTimes(date);
    });
  }

  function findFreeDay(from) {
    return ask(app.text("times.searching"), async (wanted) => {
      const end = formats.addDays(from, LOOK_AHEAD);
      for (let month = from.slice(0, 7); month <= end.slice(0, 7); month = formats.addMonths(`${month}-01`, 1).slice(0, 7)) {
        for (const date of (await fetchFreeDays(month)).filter((day) => day >= from && day <= lastDay() && day < end)) {
          if (!wanted()) return;
          const found = await fetchSlots(date);
          if (!wanted()) return;
          if (freeOf(found).length) return showFound(date, found);
        }
      }
      if (!wanted()) return;
      page.byId("times-status").textContent = app.text("times.none.soon");
    });
  }

  function showFound(date, found) {
    draft.date = date;
    slots = found;
    app.month.mark(date);
    drawTimes(date);
  }

  function onSlotClick({ target }) {
    const button = target.closest("button.slot");
    const slot = button && slots.find((one) => one.start === button.dataset.slot);
    if (!slot?.available) return;
    draft.slot = { time: slot.time, start: slot.start };
    page.clearFieldErrors(page.stepOf("slot"));
    page.byId("slots").querySelectorAll("button").forEach((one) => {
      one.setAttribute("aria-pressed", String(one === button));
    });
    page.announce(app.text("slot.chosen", { day: formats.dayName(draft.date), time: formats.clock(slot.start, zone()) }));
  }

  function sayZone() {
    const moment = Date.now();
    const values = { zone: formats.zoneName(zone()), yours: formats.zoneName(formats.visitorZone()) };
    const key = formats.clocksDiffer(moment, zone()) ? "zone.differs" : "zone.same";
    page.byId("zone-note").textContent = app.text(key, values);
  }

  function startSearch() {
    const date = draft.date && draft.date >= today() ? draft.date : null;
    app.month.open({ first: today(), last: lastDay(), chosen: date, onChoose: showDay, onTurn: markMonth });
    return date ? showDay(date) : findFreeDay(today());
  }

  async function enter() {
    const { code } = app.session.chosen();
    if (shownFor !== code) app.month.forgetEmpty();
    shownFor = code;
    page.byId("choose-again").hidden = !draft.paymentId;
    page.byId("choose-again-why").textContent = app.text(draft.wasTaken ? "again.taken" : "again.paid");
    const submit = page.stepOf("slot").querySelector("button[type=submit]");
    submit.textContent = app.text(draft.paymentId && draft.consent ? "slot.book" : "slot.continue");
    page.stepOf("slot").querySelector("[data-action=back]").hidden = Boolean(draft.paymentId);
    sayZone();
    startSearch(); // not awaited: the calendar can be used while the times are on their way
  }

  function submit() {
    page.say("slot-notice", "");
    if (draft.slot) return true;
    const { focus } = page.showFieldErrors({ time: [app.text("slot.choose")] });
    focus();
    return false;
  }

  page.byId("slots").addEventListener("click", onSlotClick);
  document.querySelector("[data-action=next-free-day]").addEventListener("click", () => {
    page.byId("times-heading").focus(); // the button goes away; the focus must not go with it
    findFreeDay(formats.addDays(draft.date, 1));
  });

  app.steps.slot = { enter, submit };
})((window.MindfulQALB = window.MindfulQALB || {}));
