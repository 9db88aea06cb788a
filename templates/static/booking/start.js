"use strict";

/* Loads the catalogue and begins: at the first step, or where a payment was interrupted or a gateway sends back to. */
(function (app) {
  const { page, draft, drafts } = app;

  /** What the address says, read once and then taken out of the address bar. */
  function readAddress() {
    const query = new URLSearchParams(location.search);
    if (location.search) history.replaceState(null, "", location.pathname);
    return { query, paid: paidAt(query), cancelled: query.has("cancelled") };
  }

  /** The order that a gateway says is paid, and the id that books it; Stripe has one for both. */
  function paidAt(query) {
    switch (query.get("paid")) {
      case "stripe": return { order: query.get("session_id"), payment: query.get("session_id") };
      case "razorpay": return { order: query.get("order_id"), payment: query.get("payment_id") };
      default: return null;
    }
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
  function takePayment(paid, restored) {
    const { sessionId, orderId } = draft.hold?.payment ?? {};
    if (!restored || !paid.payment || (sessionId ?? orderId) !== paid.order) return false;
    draft.paymentId = paid.payment;
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
    const { query, paid, cancelled } = readAddress();
    const restored = takePaidLink(query) || drafts.restore();
    if (!restored) draft.sessionCode = query.get("session"); // a link may choose the session
    if (paid && !takePayment(paid, restored)) {
      reveal();
      app.booking.show("received");
      return;
    }
    await begin({ restored, cancelled });
  }

  start();
})((window.MindfulQALB = window.MindfulQALB || {}));
