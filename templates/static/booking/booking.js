"use strict";

/* The booking itself: asking for it, following it until it stands, and what is shown at the end. */
(function (app) {
  const { page, draft, drafts } = app;
  const PAUSE = 3000;
  const POLLS = 20; // a minute; then the email says how it went
  const PAYMENT_CHECKS = 5;
  const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

  function request() {
    const { sessionType, format } = app.session.chosen();
    const body = {
      sessionType, format, date: draft.date, time: draft.slot.time, customer: app.customer(), consentAccepted: true,
      ageBand: draft.ageBand || "", locale: document.documentElement.lang, timeZone: app.formats.visitorZone(),
    };
    if (draft.consent) body.consentId = draft.consent.consentId;
    if (draft.paymentId) body.paymentId = draft.paymentId;
    return body;
  }

  async function ask() {
    const body = request();
    const idempotencyKey = drafts.attemptKey("book", body);
    drafts.keep(); // with its key: a reload must not make a new attempt of this one
    try {
      const answer = await app.api.post("/api/bookings", body, { idempotencyKey });
      drafts.endAttempt();
      return answer.body;
    } catch (problem) {
      if (!problem.undecided) drafts.endAttempt();
      throw problem;
    }
  }

  /** A bank may take a few seconds to tell the gateway: "not paid" (402) is believed only after several looks. */
  async function askUntilPaid() {
    for (let check = 1; ; check += 1) {
      try {
        return await ask();
      } catch (problem) {
        if (problem.status !== 402) throw problem;
        if (check === PAYMENT_CHECKS) throw new app.Problem({ status: 402, sentence: app.text("payment.unconfirmed") });
      }
      app.payment.status("status.waiting");
      await pause();
    }
  }

  /** Book what was chosen. @throws {Problem} with code "slot_taken" if it has to be another time */
  async function book() {
    app.payment.draw();
    app.payment.status("status.booking");
    await settle(await askUntilPaid());
  }

  /** The time cannot be had. A payment stays the client's to spend, so only the time is chosen again. */
  async function chooseAgain({ wasTaken = true } = {}) {
    draft.slot = null;
    draft.wasTaken = wasTaken;
    if (draft.paymentId) drafts.keep();
    else drafts.forget();
    page.say("slot-notice", draft.paymentId ? "" : app.text("slot.taken"));
    await app.flow.go("slot");
    const shown = page.byId(draft.paymentId ? "choose-again" : "slot-notice");
    page.announce(shown.textContent.trim());
  }

  /** A link only to where a browser may safely go, whatever the answer holds. */
  function setLink(id, address) {
    const url = address ? new URL(address, location.href) : null;
    const usable = url !== null && ["https:", "http:"].includes(url.protocol);
    page.byId(id).hidden = !usable;
    if (usable) page.byId(id).href = url.href;
  }

  function setLinks({ status, confirmationUrl, calendarUrl, manageUrl }) {
    const standing = status === "confirmed";
    const file = calendarUrl ?? (manageUrl && `${manageUrl.replace(/\/$/, "")}/session.ics`);
    setLink("confirmation-link", standing ? confirmationUrl : null);
    setLink("calendar-link", standing ? file : null);
    setLink("manage-link", manageUrl);
  }

  /** The last step. `key` is confirmed, pending, received or gone; `textKey` says more about it. */
  function show(key, booking = null, textKey = `done.${key}.text`) {
    const { email } = draft.customer;
    app.hold.stop();
    page.byId("done-heading").textContent = app.text(`done.${key}`);
    page.byId("done-text").textContent = app.text(textKey, { email });
    page.byId("done-panel").hidden = booking === null;
    page.byId("another").hidden = key === "pending";
    page.say("done-mail", key === "confirmed" ? app.text("done.mail", { email }) : "");
    if (booking) setLinks(booking);
    history.replaceState({ step: "done" }, "");
    page.showStep("done");
  }

  function summarize({ startsAt, date }) {
    // A booking found on the server may be for an earlier choice than the one on the page.
    app.payment.summarize(startsAt && date ? { start: startsAt, date } : undefined);
  }

  function showGone() {
    drafts.forget();
    show("gone");
  }

  /** Have the money in hand that the server keeps for a booking of ours that came to nothing. */
  function takeCredit({ chooseAgainUrl }) {
    draft.paymentId = new URL(chooseAgainUrl, location.href).searchParams.get("payment");
    draft.hold = null;
    drafts.keep();
  }

  async function afterRejection({ credit }) {
    if (credit) takeCredit(credit);
    if (draft.paymentId || !draft.hold?.payment) return chooseAgain();
    return showGone(); // paid, but only the server knows with which payment: it writes to the client
  }

  async function showPending(booking) {
    if (page.currentStep() !== "done") show("pending", booking);
    for (let poll = 0; poll < POLLS; poll += 1) {
      await pause();
      const found = await read(booking);
      if (found && found.status !== "pending") return settle(found);
    }
    drafts.forget();
    page.byId("another").hidden = false;
    page.byId("done-text").textContent = app.text("done.late.text", { email: draft.customer.email });
    page.announce(page.byId("done-text").textContent);
    return null;
  }

  /** A booking that did not come from our hold is opened by the token in its own link. */
  function tokenFor({ bookingId, token, manageUrl }) {
    if (token) return token;
    if (bookingId === draft.hold?.bookingId) return draft.hold.token;
    return manageUrl ? new URL(manageUrl, location.href).pathname.split("/").filter(Boolean).at(-1) : null;
  }

  async function read(booking) {
    const { bookingId } = booking;
    const token = tokenFor(booking);
    const path = `/api/bookings/${encodeURIComponent(bookingId)}`;
    return app.api.get(path, { token }).then(({ body }) => body).catch(() => null);
  }

  /** Show a booking as it stands, and follow it while it is pending. */
  async function settle(booking) {
    summarize(booking);
    if (booking.status === "pending") return showPending(booking);
    if (booking.status === "rejected") return afterRejection(booking);
    if (booking.status !== "confirmed") return showGone();
    drafts.forget();
    return show("confirmed", booking);
  }

  app.booking = { book, settle, chooseAgain, takeCredit, show };
})((window.MindfulQALB = window.MindfulQALB || {}));
