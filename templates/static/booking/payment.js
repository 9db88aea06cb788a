"use strict";

/* Step 5: what is booked and what it costs, the payment, and, once it is paid, finishing the booking. */
(function (app) {
  const { page, draft, drafts } = app;
  const LEAVING = 20000; // ms until the button may be pressed again when the payment page has not opened
  // The browsers inside other apps: they open no window, and forget our page behind Razorpay's.
  const IN_APP = /FBAN|FBAV|Instagram|Line\/|; wv\)|UCBrowser|Opera Mini/;
  let script = null;

  const status = (key) => { page.byId("payment-status").textContent = key ? app.text(key) : ""; };
  const notice = (key) => page.say("payment-notice", key && app.text(key));
  const kind = () => (draft.paymentId || draft.verification ? "finish" : app.hold.payWith() ?? "free");

  /** Fill every summary on the page from what was chosen. */
  function summarize({ start, date } = { ...draft.slot, date: draft.date }) {
    const offer = app.session.chosen();
    const { timeZone } = app.session.practice();
    const yours = app.formats.visitorTime(start, timeZone);
    const values = {
      session: app.session.fullName(offer),
      when: `${app.formats.dayName(date)}, ${app.formats.clock(start, timeZone)}`,
      yours: app.formats.zoneName(timeZone) + (yours && ` · ${app.text("zone.yours", { time: yours })}`),
      therapist: offer.therapist,
      price: app.session.priceText(offer),
      ...draft.customer,
    };
    document.querySelectorAll("[data-summary]").forEach((element) => {
      element.textContent = values[element.dataset.summary];
    });
    document.querySelector("[data-summary-row=phone]").hidden = !draft.customer.phone;
  }

  function label() {
    const price = app.session.priceText(app.session.chosen());
    const key = app.hold.isLive() && kind() !== "free" && kind() !== "finish" ? "again" : kind();
    return app.text(`pay.${key}`, { price });
  }

  function draw() {
    const step = page.stepOf("payment");
    const paid = kind() === "finish";
    page.byId("payment-heading").textContent = app.text(paid ? "heading.finish" : "heading.check");
    page.byId("payment-note").textContent = app.text(`note.${kind()}`);
    step.querySelector("[data-action=pay]").textContent = label();
    step.querySelector("[data-action=back]").hidden = paid;
    if (paid) page.say("cancellation-terms", "");
    if (paid) app.hold.stop();
    else app.hold.watch(onExpire);
  }

  function onExpire() {
    notice(null);
    status("hold.expired");
    draw();
  }

  async function enter() {
    notice(null);
    status(null);
    summarize();
    draw();
    return tellTerms();
  }

  /** Before anybody pays: what comes back when they cancel. Without it there is a way to try again. */
  async function tellTerms() {
    page.say("cancellation-terms", "");
    if (kind() === "finish" || kind() === "free") return;
    page.say("cancellation-terms", app.text("terms.looking")); // keeps its line: the button must not jump away
    try {
      const { text, steps } = await app.session.cancellationTerms(draft.date, draft.slot.time);
      const { timeZone } = app.session.practice();
      const namesMoment = steps.length > 0 && Date.parse(steps[0].until) < Date.parse(draft.slot.start);
      const yours = namesMoment && app.formats.visitorTime(steps[0].until, timeZone);
      page.say("cancellation-terms", text + (yours ? ` (${app.text("zone.yours", { time: yours })})` : ""));
    } catch (problem) {
      page.say("cancellation-terms", "");
      await app.flow.report(problem, tellTerms);
    }
  }

  function loadScript() {
    script ??= new Promise((resolve, reject) => {
      const src = document.body.dataset.razorpayScript;
      const element = Object.assign(document.createElement("script"), { src, async: true });
      element.onload = resolve;
      element.onerror = () => {
        script = null; // a later try loads it anew
        element.remove();
        reject(new app.Problem({ status: 0, sentence: app.text("payment.script") }));
      };
      document.head.append(element);
    });
    return script;
  }

  /** Resolves to what Razorpay hands over for a payment, or to null when the window was closed without one. */
  function askRazorpay({ payment }) {
    const { name, email, phone } = draft.customer;
    return new Promise((resolve) => {
      new window.Razorpay({
        key: payment.keyId, amount: payment.amount, currency: payment.currency, order_id: payment.orderId,
        name: document.body.dataset.practice, prefill: { name, email, contact: phone },
        handler: resolve, modal: { ondismiss: () => resolve(null) },
      }).open();
    });
  }

  /** Leaves the page; Razorpay posts the outcome to our server, which sends the browser back here. */
  function leaveForRazorpay({ payment }) {
    const { name, email, phone } = draft.customer;
    status("status.leaving");
    new window.Razorpay({
      key: payment.keyId, amount: payment.amount, currency: payment.currency, order_id: payment.orderId,
      name: document.body.dataset.practice, prefill: { name, email, contact: phone },
      callback_url: new URL(document.body.dataset.razorpayReturn, location.origin).href, redirect: true,
      modal: { ondismiss: () => dismissed().catch((problem) => app.flow.report(problem)) },
    }).open();
    return new Promise((resolve) => setTimeout(resolve, LEAVING));
  }

  async function payWithRazorpay(hold) {
    status("status.opening");
    await loadScript();
    if (IN_APP.test(navigator.userAgent)) return leaveForRazorpay(hold);
    draft.verification = await askRazorpay(hold);
    if (!draft.verification) return dismissed();
    drafts.keep();
    return verify();
  }

  /** The window may have been closed by somebody who has paid: the server knows. */
  async function dismissed() {
    if (await alreadyBooked()) return;
    if (draft.paymentId) {
      await app.booking.book();
      return;
    }
    status(null);
    draw();
    notice(app.hold.isLive() ? "payment.dismissed" : "payment.dismissed.late");
    page.byId("payment-notice").focus();
  }

  async function verify() {
    draw();
    status("status.verifying");
    const { body } = await app.api.post("/api/payments/verify", draft.verification);
    draft.paymentId = body.paymentId;
    draft.verification = null;
    drafts.keep();
    return app.booking.book();
  }

  function payWithStripe({ payment }) {
    status("status.leaving");
    location.assign(payment.url);
    return new Promise((resolve) => setTimeout(resolve, LEAVING));
  }

  /**
   * Show the booking and answer true if the server has it already, through a webhook for instance; or if it has the
   * money, and another time must be chosen. What was paid after its hold had run out is in hand afterwards: that time
   * may still be free.
   */
  async function alreadyBooked() {
    const booking = await app.hold.look();
    if (["pending", "confirmed"].includes(booking?.status)) {
      await app.booking.settle(booking);
      return true;
    }
    if (booking?.credit) {
      app.booking.takeCredit(booking.credit);
      if (booking.status === "expired") return false;
      await app.booking.chooseAgain({ wasTaken: booking.status === "rejected" });
      return true;
    }
    if (booking && booking.status !== "held") draft.hold = null; // run out or given back, whatever our clock says
    return false;
  }

  async function pay() {
    status("status.holding");
    if (await alreadyBooked()) return null;
    if (draft.paymentId) return app.booking.book();
    const hold = await app.hold.ensure();
    draw();
    if (!hold.payment) return app.booking.book();
    return hold.payment.payWith === "stripe" ? payWithStripe(hold) : payWithRazorpay(hold);
  }

  /** Whatever is due next: pay, have the payment checked, or book. Safe to call again after any failure. */
  async function submit() {
    notice(null);
    try {
      if (draft.paymentId) await app.booking.book();
      else if (draft.verification) await verify();
      else await pay();
    } catch (problem) {
      status(null);
      const goneBack = problem.code === "payment_refunded";
      if (goneBack) draft.paymentId = null;
      draw();
      if (goneBack) await tellTerms();
      if (problem.code !== "slot_taken") throw problem;
      await app.booking.chooseAgain();
    }
  }

  /** Back on the page with a payment under way, after a reload or from Stripe without having paid. */
  async function resume(cancelled) {
    if (draft.verification || draft.paymentId) return app.flow.attempt(payButton(), submit);
    if (await alreadyBooked()) return null;
    if (draft.paymentId) return app.flow.attempt(payButton(), submit);
    draw();
    if (cancelled) return notice(app.hold.isLive() ? "payment.cancelled" : "payment.cancelled.late");
    return notice("payment.resumed");
  }

  const payButton = () => page.stepOf("payment").querySelector("[data-action=pay]");

  window.addEventListener("pageshow", (event) => {
    if (event.persisted && page.currentStep() === "payment") enter().then(() => resume(true));
  });

  app.steps.payment = { enter, submit };
  app.payment = { submit, resume, status, summarize, draw, payButton };
})((window.MindfulQALB = window.MindfulQALB || {}));
