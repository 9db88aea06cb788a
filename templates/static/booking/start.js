"use strict";

/* Loads the catalogue and begins: at the first step, or where a payment was interrupted or Stripe sends back to. */
(function (app) {
  const { page, draft, drafts } = app;

  /** What the address says, read once and then taken out of the address bar. */
  function readAddress() {
    const query = new URLSearchParams(location.search);
    if (location.search) history.replaceState(null, "", location.pathname);
    const sessionId = query.get("paid") === "stripe" ? query.get("session_id") : null;
    return { query, sessionId, cancelled: query.get("cancelled") === "stripe" };
  }

  /**
   * True for the link in our email about a lost slot, /?session=individual-video&payment=pay_...: it is paid already,
   * and only another time is wanted.
   */
  function takePaidLink(query) {
    if (!query.get("payment")) return false;
    drafts.forget();
    draft.sessionCode = query.get("session");
    draft.paymentId = query.get("payment");
    return true;
  }

  /** True if there is a draft for this return: paid in another tab or browser, there is none. */
  function takePayment(sessionId, restored) {
    if (!restored || draft.hold?.payment?.sessionId !== sessionId) return false;
    draft.paymentId = sessionId;
    drafts.keep();
    return true;
  }

  function reveal() {
    page.byId("starting").hidden = true;
    page.byId("booking").hidden = false;
  }

  /** Where to begin. The offer may have gone from the catalogue since the draft was kept. */
  function firstStep(restored) {
    if (!restored || !app.session.chosen()) return "session";
    return draft.slot ? "payment" : "slot";
  }

  async function begin({ restored, cancelled }) {
    try {
      await app.session.load();
    } catch (problem) {
      reveal();
      await app.flow.report(problem, () => begin({ restored, cancelled }));
      return;
    }
    reveal();
    const step = firstStep(restored);
    await app.flow.start(step);
    if (step === "payment") await app.payment.resume(cancelled);
  }

  async function start() {
    const { query, sessionId, cancelled } = readAddress();
    const restored = takePaidLink(query) || drafts.restore();
    if (!restored) draft.sessionCode = query.get("session"); // a link may choose the session
    if (sessionId && !takePayment(sessionId, restored)) {
      reveal();
      app.booking.show("received");
      return;
    }
    await begin({ restored, cancelled });
  }

  start();
})((window.MindfulQALB = window.MindfulQALB || {}));
