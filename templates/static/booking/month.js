"use strict";

/* A month as a grid of buttons: one tab stop, arrow keys move by day and week, Page Up and Page Down by month. */
(function (app) {
  const { page, formats } = app;
  const KEYS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
  const state = { first: null, last: null, shown: null, chosen: null, active: null, empty: new Set(), onChoose: null, onTurn: null };

  const table = () => page.byId("month");
  const monthOf = (day) => day.slice(0, 7);
  const within = (day) => (day < state.first ? state.first : day > state.last ? state.last : day);

  function weekdayHeader(offset) {
    const monday = "2024-01-01"; // a Monday, like the first column
    const day = formats.addDays(monday, offset);
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.abbr = formats.dayName(day, { weekday: "long" });
    cell.textContent = formats.dayName(day, { weekday: "short" });
    return cell;
  }

  function labelOf(day) {
    const name = formats.dayName(day);
    return state.empty.has(day) ? app.text("day.none", { day: name }) : name;
  }

  function dayButton(day) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "day", textContent: String(Number(day.slice(8))) });
    button.dataset.date = day;
    button.disabled = day !== within(day);
    button.tabIndex = day === state.active ? 0 : -1;
    button.setAttribute("aria-label", labelOf(day));
    button.classList.toggle("empty", state.empty.has(day));
    if (day === state.first) button.setAttribute("aria-current", "date");
    return button;
  }

  function dayCell(day) {
    const cell = document.createElement("td");
    if (monthOf(day) !== monthOf(state.shown)) return cell;
    cell.setAttribute("aria-selected", String(day === state.chosen));
    cell.append(dayButton(day));
    return cell;
  }

  function week(monday) {
    const row = document.createElement("tr");
    row.append(...Array.from({ length: 7 }, (_, offset) => dayCell(formats.addDays(monday, offset))));
    return row;
  }

  function weeks() {
    const first = state.shown;
    const rows = [];
    let monday = formats.addDays(first, -formats.weekday(first));
    while (monday < formats.addMonths(first, 1)) {
      rows.push(week(monday));
      monday = formats.addDays(monday, 7);
    }
    return rows;
  }

  function setMonthButton(action, reachable) {
    document.querySelector(`[data-action=${action}-month]`).disabled = !reachable;
  }

  function draw() {
    const hadFocus = table().contains(document.activeElement);
    page.byId("month-name").textContent = formats.dayName(state.shown, { month: "long", year: "numeric" });
    table().tBodies[0].replaceChildren(...weeks());
    setMonthButton("previous", monthOf(state.shown) > monthOf(state.first));
    setMonthButton("next", monthOf(state.shown) < monthOf(state.last));
    if (hadFocus) focusActive();
  }

  function focusActive() {
    table().querySelector("[tabindex='0']")?.focus();
  }

  function show(day) {
    const before = state.shown;
    state.active = within(day);
    state.shown = `${monthOf(state.active)}-01`;
    draw();
    if (state.shown !== before) state.onTurn(monthOf(state.shown));
  }

  /** The first and last day of a month are asked for by turning to it, so they may lie outside what can be booked. */
  function turn(months) {
    const target = formats.addMonths(state.shown, months);
    show(target < state.first ? state.first : target);
  }

  function choose(day) {
    state.chosen = day;
    show(day);
    state.onChoose(day);
  }

  function keyTarget(event) {
    const { active } = state;
    if (event.key in KEYS) return formats.addDays(active, KEYS[event.key]);
    if (event.key === "Home") return formats.addDays(active, -formats.weekday(active));
    if (event.key === "End") return formats.addDays(active, 6 - formats.weekday(active));
    if (event.key === "PageUp") return formats.addMonths(active, -1);
    if (event.key === "PageDown") return formats.addMonths(active, 1);
    return null;
  }

  function onKeyDown(event) {
    const target = event.altKey || event.ctrlKey || event.metaKey ? null : keyTarget(event);
    if (!target) return;
    event.preventDefault();
    show(target);
    focusActive();
  }

  function onClick({ target }) {
    const button = target.closest("button.day");
    if (button && !button.disabled) choose(button.dataset.date);
  }

  function listen() {
    table().tHead.rows[0].append(...Array.from({ length: 7 }, (_, offset) => weekdayHeader(offset)));
    table().addEventListener("click", onClick);
    table().addEventListener("keydown", onKeyDown);
    document.querySelector("[data-action=previous-month]").addEventListener("click", () => turn(-1));
    document.querySelector("[data-action=next-month]").addEventListener("click", () => turn(1));
  }

  /** Open the grid for the days `first` to `last`; `onChoose` hears of days that are pressed, `onTurn` of months shown. */
  function open({ first, last, chosen, onChoose, onTurn }) {
    if (!state.onChoose) listen();
    Object.assign(state, { first, last, chosen, onChoose, onTurn, shown: null });
    show(chosen ?? first);
  }

  /** Mark a day as chosen without anybody having pressed it. */
  function mark(day) {
    state.chosen = day;
    show(day);
  }

  function setEmpty(day, isEmpty) {
    if (state.empty.has(day) === isEmpty) return;
    if (isEmpty) state.empty.add(day);
    else state.empty.delete(day);
    draw();
  }

  /** Take over which days of a month have something free. */
  function setFree(month, free) {
    for (let day = `${month}-01`; monthOf(day) === month; day = formats.addDays(day, 1)) {
      if (free.has(day)) state.empty.delete(day);
      else state.empty.add(day);
    }
    draw();
  }

  app.month = { open, mark, setEmpty, setFree, forgetEmpty: () => state.empty.clear() };
})((window.MindfulQALB = window.MindfulQALB || {}));
