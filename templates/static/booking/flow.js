"use strict";

/* The order of the steps. Each step registers {enter, submit}; `submit` throws a Problem or answers false to stay. */
(function (app) {
  const ORDER = ["session", "slot", "details", "consent", "payment"];
  const { page, draft } = app;
  const steps = {};

  async function show(name, options) {
    page.showStep(name, options);
    await steps[name].enter();
  }

  /** Go to a step and remember it, so that the browser's own back button goes one step back. */
  function go(name) {
    history.pushState({ step: name }, "");
    return show(name);
  }

  async function next(name) {
    // Whoever has paid and said everything chooses a new time and has it: nothing is asked again.
    const bookNow = Boolean(draft.paymentId && draft.consent) && name === "slot";
    await go(bookNow ? "payment" : ORDER[ORDER.indexOf(name) + 1]);
    if (bookNow) await app.payment.submit();
  }

  function withPause({ message, retryAfter }) {
    if (!retryAfter) return message;
    if (retryAfter < 120) return app.text("problem.wait", { sentence: message, seconds: retryAfter });
    return app.text("problem.wait.minutes", { sentence: message, minutes: Math.ceil(retryAfter / 60) });
  }

  function sentenceOf(problem) {
    const sentence = withPause(problem);
    return draft.paymentId || draft.verification ? app.text("problem.paid", { sentence }) : sentence;
  }

  async function showFieldProblem(problem) {
    if (problem.fields.consentId || problem.fields.consentAccepted) app.consent.renew();
    const { step, rest, focus } = page.showFieldErrors(problem.fields);
    if (!step) return page.showProblem(sentenceOf(problem), { details: rest });
    if (step !== page.currentStep()) await go(step);
    page.showFieldErrors(problem.fields); // entering the step may have drawn it anew
    if (rest.length) page.showProblem(sentenceOf(problem), { details: rest });
    focus();
  }

  /** Tell the person what went wrong, at the field if it is a field's fault; anything unforeseen is ours. */
  function report(problem, retry) {
    if (!(problem instanceof app.Problem)) {
      console.error(problem);
      return page.showProblem(sentenceOf({ message: app.text("problem.server") }), { retry });
    }
    if (Object.keys(problem.fields).length) return showFieldProblem(problem);
    // After a definite no, the same again would only be refused again; a bank, however, may still be on its way (402).
    const worthwhile = problem.undecided || problem.status === 402;
    return page.showProblem(sentenceOf(problem), { retry: worthwhile ? retry : null });
  }

  /** Run something that asks the server; on a problem, show it with the same thing as "Try again". */
  async function attempt(button, task) {
    await page.whileBusy(button, async () => {
      page.hideProblem();
      page.clearFieldErrors();
      try {
        await task();
      } catch (problem) {
        await report(problem, () => attempt(button, task));
      }
    });
  }

  function submit(name, button) {
    return attempt(button, async () => {
      if ((await steps[name].submit()) === false) return;
      if (name !== "payment") await next(name);
    });
  }

  function listen(name) {
    const step = page.stepOf(name);
    step.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      submit(name, step.querySelector("button[type=submit]"));
    });
    step.querySelector("[data-action=back]")?.addEventListener("click", () => {
      if (!page.isBusy()) history.back();
    });
  }

  function onPopState(event) {
    const name = event.state?.step;
    if (page.currentStep() === "done" || !steps[name]) return;
    // An answer under way decides where to go; until then the address bar may not.
    if (page.isBusy()) history.pushState({ step: page.currentStep() }, "");
    else show(name);
  }

  async function start(name) {
    ORDER.forEach(listen);
    history.replaceState({ step: "session" }, "");
    window.addEventListener("popstate", onPopState);
    // Back from another site, out of the browser's memory: what was under way then is over.
    window.addEventListener("pageshow", (event) => { if (event.persisted) page.release(); });
    await (name === "session" ? show(name, { focus: false }) : go(name));
  }

  app.steps = steps;
  app.flow = { go, next, report, attempt, start };
})((window.MindfulQALB = window.MindfulQALB || {}));
