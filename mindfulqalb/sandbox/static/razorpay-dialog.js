// The checkout dialog's buttons: ask the sandbox to pay, and tell the page that opened the dialog.
(function () {
  "use strict";

  const dialog = document.querySelector("[data-checkout]");
  const notice = document.querySelector("[data-notice]");
  const { origin, order, email, contact, escape } = dialog.dataset;

  function tell(type, payload) {
    if (window.parent !== window && origin) {
      window.parent.postMessage({ type, payload }, origin);
    }
  }

  function say(text) {
    notice.textContent = text;
    notice.hidden = false;
  }

  function setBusy(busy) {
    document.querySelectorAll("[data-outcome]").forEach((button) => { button.disabled = busy; });
  }

  async function pay(outcome) {
    setBusy(true);
    const response = await fetch("/razorpay/checkout/pay", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ order_id: order, outcome, email, contact }),
    });
    const told = await response.json();
    if (!response.ok) {
      say(told.error ? told.error.description : "The payment could not be made.");
    } else if (told.razorpay_signature) {
      const { razorpay_payment_id, razorpay_order_id, razorpay_signature } = told;
      tell("success", { razorpay_payment_id, razorpay_order_id, razorpay_signature });
    } else if (told.error) {
      say(told.error.description);
      tell("failed", told.error);
    } else {
      say("The bank has not answered yet. It will in some seconds; you can close this window.");
      return;
    }
    setBusy(false);
  }

  document.querySelectorAll("[data-outcome]").forEach((button) => {
    button.addEventListener("click", () => {
      pay(button.dataset.outcome).catch(() => {
        say("The connection was lost. The payment may have been made all the same.");
        setBusy(false);
      });
    });
  });
  document.querySelector("[data-close]").addEventListener("click", () => tell("dismiss", "close"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && escape !== "no") {
      tell("dismiss", "escape");
    }
  });
  const first = document.querySelector("[data-outcome]") || document.querySelector("[data-close]");
  first.focus();
})();
