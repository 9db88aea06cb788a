"use strict";

/* Step 1: the kind of session, how to meet, and in which currency to pay. */
(function (app) {
  const { page, draft } = app;
  let catalogue = null;

  const offers = () => catalogue.sessions;
  const chosen = () => offers().find((offer) => offer.code === draft.sessionCode) ?? null;
  const sameType = (type) => offers().filter((offer) => offer.sessionType === type);
  const typeName = (offer) => app.findText(`type.${offer.sessionType}`) ?? offer.title;
  const formatName = (offer) => app.findText(`format.${offer.format}`) ?? offer.format;
  const minutes = (offer) => app.text("minutes", { minutes: offer.durationMinutes });
  const fullName = (offer) => [typeName(offer), formatName(offer), minutes(offer)].join(", ");

  /** The price of an offer in the chosen currency, else in the first one that it has; null if it is free. */
  function priceOf(offer) {
    return offer.prices.find((price) => price.currency === draft.currency) ?? offer.prices[0] ?? null;
  }

  function priceText(offer) {
    const price = priceOf(offer);
    return price ? app.formats.money(price.amount, price.currency) : app.text("price.free");
  }

  function cheapestText(type) {
    const several = sameType(type);
    const amount = (offer) => priceOf(offer)?.amount ?? 0;
    const cheapest = several.reduce((one, other) => (amount(other) < amount(one) ? other : one));
    const price = priceText(cheapest);
    const same = several.every((offer) => priceText(offer) === price);
    return same ? price : app.text("price.from", { price });
  }

  function durationText(type) {
    const all = sameType(type).map((offer) => offer.durationMinutes);
    const [shortest, longest] = [Math.min(...all), Math.max(...all)];
    if (shortest === longest) return app.text("minutes", { minutes: shortest });
    return app.text("minutes.range", { shortest, longest });
  }

  function card({ name, value, title, note = "", price = "", checked }) {
    const label = page.byId("card-template").content.cloneNode(true).querySelector("label");
    Object.assign(label.querySelector("input"), { name, value, checked, required: true });
    label.querySelector(".card-title").textContent = title;
    label.querySelector(".card-note").textContent = note;
    label.querySelector(".card-price").textContent = price;
    return label;
  }

  /** Redraw a group only in place: the radio that has the focus keeps it. */
  function fill(id, cards) {
    const group = page.byId(id);
    const focused = group.contains(document.activeElement) ? document.activeElement.value : null;
    group.replaceChildren(...cards.map(card));
    if (focused !== null) group.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
  }

  function drawTypes() {
    const type = page.byId("session-types").querySelector(":checked")?.value ?? chosen()?.sessionType;
    const types = [...new Set(offers().map((offer) => offer.sessionType))];
    fill("session-types", types.map((value) => ({
      name: "sessionType", value, title: typeName(sameType(value)[0]), note: durationText(value),
      price: cheapestText(value), checked: value === type,
    })));
    return type;
  }

  function drawFormats(type) {
    const formats = type ? sameType(type) : [];
    page.byId("format-fieldset").hidden = formats.length < 2;
    fill("formats", formats.length < 2 ? [] : formats.map((offer) => ({
      name: "format", value: offer.format, title: formatName(offer), note: minutes(offer), price: priceText(offer),
      checked: offer.code === draft.sessionCode,
    })));
  }

  function drawCurrencies(type) {
    const prices = new Map(sameType(type).flatMap((offer) => offer.prices).map((price) => [price.currency, price]));
    page.byId("currency-fieldset").hidden = prices.size < 2;
    fill("currencies", prices.size < 2 ? [] : [...prices.values()].map((price) => ({
      name: "currency", value: price.currency, title: app.findText(`currency.${price.currency}`) ?? price.currency,
      note: app.text(`payWith.${price.payWith}`), checked: price.currency === draft.currency,
    })));
  }

  function draw() {
    const type = drawTypes();
    drawFormats(type);
    drawCurrencies(type);
    const offer = chosen();
    const free = offer && !offer.prices.length;
    const values = offer && { minutes: offer.durationMinutes, format: formatName(offer).toLowerCase() };
    page.say("session-note", free ? app.text("session.free", values) : "");
    const confirm = app.text(free ? "progress.confirm" : "progress.payment");
    document.querySelector("[data-progress=payment]").textContent = confirm;
  }

  function choose(offer) {
    if (offer?.code === draft.sessionCode) return;
    draft.sessionCode = offer?.code ?? null;
    draft.date = draft.slot = null; // another session lies in another calendar
  }

  function onChange({ target }) {
    page.clearFieldErrors(page.stepOf("session"));
    if (target.name === "sessionType") {
      const several = sameType(target.value);
      // Whoever wanted a video call still wants one.
      choose(several.find((offer) => offer.format === chosen()?.format) ?? (several.length === 1 ? several[0] : null));
    } else if (target.name === "format") {
      const type = page.byId("session-types").querySelector(":checked").value;
      choose(sameType(type).find((offer) => offer.format === target.value));
    } else if (target.name === "currency") {
      draft.currency = target.value;
    }
    draw();
  }

  function submit() {
    if (chosen()) return true;
    const typeChosen = page.byId("session-types").querySelector(":checked");
    const key = typeChosen ? "format" : "sessionType";
    const sentence = app.text(typeChosen ? "format.choose" : "session.choose");
    page.showFieldErrors({ [key]: [sentence] }).focus();
    return false;
  }

  /** Load what is sold. Rupees are the start where the clocks are the practice's, dollars elsewhere. */
  async function load() {
    ({ body: catalogue } = await app.api.get("/api/catalogue"));
    const abroad = app.formats.clocksDiffer(Date.now(), catalogue.practice.timeZone);
    draft.currency ??= abroad ? "USD" : "INR";
    if (!chosen()) draft.sessionCode = null; // a link or an old draft may name what is not sold any more
    page.byId("session-types").closest("form").addEventListener("change", onChange);
    draw();
  }

  /** What cancelling a session at this time would give back, as the server reckons it now. @throws {Problem} */
  async function cancellationTerms(date, time) {
    const asked = new URLSearchParams({ date, time });
    return (await app.api.get(`/api/catalogue?${asked}`)).body.cancellation;
  }

  app.steps.session = { enter: async () => draw(), submit };
  app.session = { load, chosen, priceOf, priceText, fullName, cancellationTerms, practice: () => catalogue.practice };
})((window.MindfulQALB = window.MindfulQALB || {}));
