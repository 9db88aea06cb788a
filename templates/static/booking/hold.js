"use strict";

/* The slot kept by the server while its payment is under way. draft.hold = {about, start, bookingId, token, ...} */
(function (app) {
  const { page, draft, drafts } = app;
  const REMINDERS = [300, 60]; // seconds left at which it is said aloud; a ticking clock would drown the page
  let ticking = null;

  const payWith = () => app.session.priceOf(app.session.chosen())?.payWith ?? null;
  const secondsLeft = () => Math.max(0, Math.round((draft.hold.until - Date.now()) / 1000));
  const isLive = () => Boolean(draft.hold) && secondsLeft() > 0;
  /** Whether it is our own hold that makes this time look taken. */
  const keeps = (start) => isLive() && draft.hold.start === start;
  const returnUrl = (query) => `${location.origin}${location.pathname}?${query}`;

  function request() {
    const { sessionType, format } = app.session.chosen();
    const body = {
      sessionType, format, date: draft.date, time: draft.slot.time, customer: app.customer(),
      consentId: draft.consent.consentId, ageBand: draft.ageBand || "", locale: document.documentElement.lang,
      timeZone: app.formats.visitorZone(), payWith: payWith(),
    };
    if (body.payWith !== "stripe") return body;
    return { ...body, successUrl: returnUrl("paid=stripe"), cancelUrl: returnUrl("cancelled=stripe") };
  }

  /** The booking behind the hold as the server sees it now; null when it cannot be asked. */
  async function look() {
    if (!draft.hold) return null;
    try {
      const { bookingId, token } = draft.hold;
      return (await app.api.get(`/api/bookings/${encodeURIComponent(bookingId)}`, { token })).body;
    } catch {
      return null;
    }
  }

  /** Give back a slot that is not wanted any more; if this fails, the hold runs out by itself. */
  async function release() {
    const { bookingId, token } = draft.hold;
    draft.hold = null;
    await app.api.post(`/api/bookings/${encodeURIComponent(bookingId)}/cancel`, {}, { token }).catch(() => {});
  }

  async function place(body) {
    const idempotencyKey = drafts.attemptKey("hold", body);
    try {
      const { body: answer, clockAhead } = await app.api.post("/api/bookings/hold", body, { idempotencyKey });
      const { bookingId, token, expiresAt, payment } = answer;
      const until = Date.parse(expiresAt) - clockAhead;
      draft.hold = { about: JSON.stringify(body), start: draft.slot.start, bookingId, token, until, payment };
      drafts.endAttempt();
      drafts.keep();
    } catch (problem) {
      if (!problem.undecided) drafts.endAttempt();
      throw problem;
    }
  }

  /**
   * Have the chosen slot held: by the hold that we have, if it is for just this, else by a new one.
   * @throws {Problem} with code "slot_taken" when somebody was quicker
   */
  async function ensure() {
    const body = request();
    if (isLive() && draft.hold.about === JSON.stringify(body)) return draft.hold;
    if (isLive()) await release();
    await place(body);
    return draft.hold;
  }

  function clockFace(seconds) {
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  function tick(onExpire, wasLeft) {
    if (!draft.hold) { // given up meanwhile: there is nothing left to count
      stop();
      return 0;
    }
    const left = secondsLeft();
    page.byId("countdown").textContent = clockFace(left);
    const due = REMINDERS.find((mark) => left <= mark && wasLeft > mark);
    if (due && left > 0) page.announce(app.text("hold.left", { minutes: Math.ceil(left / 60) }));
    if (left === 0) {
      stop();
      onExpire();
    }
    return left;
  }

  /** Show until when the slot is kept, counting down; `onExpire` is called when the time is over. */
  function watch(onExpire) {
    stop();
    if (!isLive()) return;
    const time = app.formats.clock(draft.hold.until);
    page.byId("hold-text").textContent = app.text("hold.until", { time });
    page.byId("hold").hidden = false;
    let left = tick(onExpire, Infinity);
    ticking = setInterval(() => { left = tick(onExpire, left); }, 1000);
  }

  function stop() {
    clearInterval(ticking);
    page.byId("hold").hidden = true;
  }

  app.hold = { ensure, look, isLive, keeps, watch, stop, payWith };
})((window.MindfulQALB = window.MindfulQALB || {}));
