"use strict";

/* Step 3: who is coming. Shape only; whether an address or number is real is for the server to say. */
(function (app) {
  const { page, draft } = app;
  const FIELDS = ["name", "email", "phone"];
  const input = (field) => page.byId(field);
  const chosenAge = () => document.querySelector("[name=ageBand]:checked");

  function read() {
    draft.customer = Object.fromEntries(FIELDS.map((field) => [field, input(field).value.trim()]));
    draft.ageBand = chosenAge()?.value ?? null;
    return draft.customer;
  }

  /** The shortest numbers have seven digits with their country code. Said here, not after the consent was read. */
  const isPhone = (phone) => phone.replace(/\P{Nd}/gu, "").length >= 7;

  function faultsOf({ name, email, phone }) {
    const faults = {};
    if (!name) faults["customer.name"] = [app.text("name.missing")];
    if (!email) faults["customer.email"] = [app.text("email.missing")];
    else if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) faults["customer.email"] = [app.text("email.wrong")];
    if (phone && !isPhone(phone)) faults["customer.phone"] = [app.text("phone.wrong")];
    if (!draft.ageBand) faults.ageBand = [app.text("ageBand.choose")];
    return faults;
  }

  function submit() {
    const faults = faultsOf(read());
    if (!Object.keys(faults).length) return true;
    page.showFieldErrors(faults).focus();
    return false;
  }

  async function enter() {
    // The browser may have filled in more than we know, after a reload for instance.
    FIELDS.forEach((field) => { input(field).value ||= draft.customer[field]; });
    if (draft.ageBand && !chosenAge()) document.querySelector(`[name=ageBand][value=${draft.ageBand}]`).checked = true;
  }

  app.steps.details = { enter, submit };
  /** The customer as the API takes it: no phone rather than an empty one. */
  app.customer = () => {
    const { name, email, phone } = draft.customer;
    return phone ? { name, email, phone } : { name, email };
  };
})((window.MindfulQALB = window.MindfulQALB || {}));
