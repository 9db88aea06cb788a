"use strict";

/* What happens on the page itself: which step shows, what is announced, where errors stand, what is busy. */
(function (app) {
  const byId = (id) => document.getElementById(id);
  const stepOf = (name) => document.querySelector(`[data-step="${name}"]`);
  const problem = byId("problem");
  const pageTitle = document.title;
  let busyButton = null;
  let waiting = null; // the press that waits for what is under way

  function announce(sentence) {
    byId("announcer").textContent = sentence;
  }

  /** Show `sentence` in the element, or hide the element when there is none. */
  function say(id, sentence) {
    byId(id).textContent = sentence ?? "";
    byId(id).hidden = !sentence;
  }

  function markProgress(name) {
    const items = [...document.querySelectorAll("[data-progress]")];
    const current = items.findIndex((item) => item.dataset.progress === name);
    items.forEach((item, index) => {
      item.classList.toggle("passed", current < 0 || index < current);
      if (index === current) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    return current < 0 ? "" : app.text("step.of", { number: current + 1, count: items.length });
  }

  function focusHeading(name) {
    const heading = stepOf(name).querySelector("h2");
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "nearest" });
    // A long step may have been left at its end; the next one starts at its beginning.
    if (heading.getBoundingClientRect().top < 0) heading.scrollIntoView({ block: "start" });
  }

  /** Show one step and hide the others. The heading takes the focus, so that a screen reader starts there. */
  function showStep(name, { focus = true } = {}) {
    document.querySelectorAll("[data-step]").forEach((step) => { step.hidden = step.dataset.step !== name; });
    byId("lead").hidden = name !== "session";
    document.querySelector(".progress").hidden = name === "done";
    hideProblem();
    const position = markProgress(name);
    const heading = stepOf(name).querySelector("h2").textContent;
    document.title = app.text("title.step", { heading, page: pageTitle });
    if (focus) {
      announce(position);
      focusHeading(name);
    }
  }

  /** The name of the step that shows; null before the first one does. */
  const currentStep = () => document.querySelector("[data-step]:not([hidden])")?.dataset.step ?? null;

  function hideProblem() {
    problem.hidden = true;
    problem.querySelector("[data-action=retry]").onclick = null;
  }

  /** Say what went wrong, right above the buttons that were pressed, with a way to try again if `retry` is given. */
  function showProblem(sentence, { retry = null, details = [] } = {}) {
    const button = problem.querySelector("[data-action=retry]");
    const list = byId("problem-list");
    byId("problem-text").textContent = sentence;
    const items = details.map((detail) => Object.assign(document.createElement("li"), { textContent: detail }));
    list.replaceChildren(...items);
    list.hidden = details.length === 0;
    button.hidden = !retry;
    button.onclick = retry && (() => { hideProblem(); retry(); });
    const step = stepOf(currentStep());
    (step?.querySelector(".actions") ?? step?.lastElementChild)?.before(problem);
    problem.hidden = false;
    problem.focus();
  }

  /** What an error is tied to: the inputs, but the group itself for radio buttons and for slots. */
  function controlsOf(container) {
    const inputs = [...container.querySelectorAll("input:not([type=radio]), select")];
    return inputs.length ? inputs : [container];
  }

  function clearFieldErrors(root = document) {
    root.querySelectorAll(".field-error").forEach((line) => { line.textContent = ""; line.hidden = true; });
    root.querySelectorAll("[aria-invalid]").forEach((control) => control.removeAttribute("aria-invalid"));
  }

  function markField(container, messages) {
    const line = container.querySelector(".field-error");
    line.textContent = messages.join(" ");
    line.hidden = false;
    controlsOf(container).forEach((control) => {
      if (control.getAttribute("role") !== "group") control.setAttribute("aria-invalid", "true");
      const described = (control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
      control.setAttribute("aria-describedby", [...new Set([...described, line.id])].join(" "));
    });
  }

  const fieldFor = (key) => document.querySelector(`[data-field~="${CSS.escape(key)}"]`);

  function focusField(container) {
    const control = container.querySelector("input:checked, input, select, button:not([disabled]):not([hidden])");
    (control ?? container.querySelector("[tabindex]"))?.focus();
  }

  /**
   * Put each message at its field; the first one takes the focus, once its step shows.
   * @param {Object<string, string[]>} fields as in the API's error body
   * @returns {{step: ?string, rest: string[], focus: function}} the step of the first field, and what found no field
   */
  function showFieldErrors(fields) {
    const found = [];
    const rest = [];
    for (const [key, messages] of Object.entries(fields)) {
      const container = fieldFor(key);
      if (container) {
        markField(container, [].concat(messages));
        found.push(container);
      } else {
        rest.push(...[].concat(messages));
      }
    }
    found.sort((one, other) => (one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
    const step = found[0]?.closest("[data-step]").dataset.step ?? null;
    return { step, rest, focus: () => found[0] && focusField(found[0]) };
  }

  /**
   * Run `task` once. While it runs, another press of its own button does nothing; a press of another button, as on a step
   * that shows already while the rest of it is fetched, waits: nobody who has pressed may be left without an answer.
   */
  async function whileBusy(button, task) {
    if (busyButton) {
      if (button !== busyButton) waiting = { button, task };
      return;
    }
    busyButton = button;
    button.setAttribute("aria-disabled", "true");
    try {
      await task();
    } finally {
      const next = waiting;
      release();
      if (next && !next.button.closest("[hidden]")) await whileBusy(next.button, next.task);
    }
  }

  /** Forget what is under way and what waits for it. */
  function release() {
    busyButton?.removeAttribute("aria-disabled");
    busyButton = waiting = null;
  }

  app.page = {
    byId, stepOf, announce, say, showStep, currentStep, hideProblem, showProblem,
    clearFieldErrors, markField, showFieldErrors, focusField, whileBusy, release, isBusy: () => busyButton !== null,
  };
})((window.MindfulQALB = window.MindfulQALB || {}));
