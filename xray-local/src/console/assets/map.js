// The texts of the service map.

// Cuts texts to the width of their box. The width of a text is known only here: it depends on the fonts of the reader's
// machine.
function fitTexts() {
  for (const text of all("[data-fit]:not([data-whole])")) {
    const width = text.ownerSVGElement.width.baseVal.value;
    // A drawing that is not shown has no widths. It is fitted when the window gets another size.
    if (!text.getClientRects().length) continue;
    const whole = (text.dataset.whole = text.textContent);
    if (text.getComputedTextLength() <= width) continue;
    text.textContent = `${whole}\u2026`;
    const room = width - text.getSubStringLength(whole.length, 1);
    // A letter may be two units of the text long.
    const letters = [...whole];
    let end = whole.length;
    while (letters.length > 1 && text.getSubStringLength(0, end) > room) end -= letters.pop().length;
    text.textContent = `${letters.join("").trimEnd()}\u2026`;
  }
}

addEventListener("resize", fitTexts);
