"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const PARTIES = ["machine", "DHCP", "DNS", "server", "console"];
  const LEFT = 150, COLUMN = 190, ROW = 34, HEAD = 40, LONGEST = 110;

  const add = (parent, name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text.length > LONGEST ? text.slice(0, LONGEST - 1) + "…" : text;
    parent.append(made);
    return made;
  };

  // A table of messages as a diagram: cells are read as text and written as text.
  const draw = (table) => {
    const rows = [...table.tBodies[0].rows];
    const ends = (row) => row.cells.length === 4 ? row.cells[2].textContent.trim().split(" → ") : [];
    const there = PARTIES.filter((party) => party === "machine" || rows.some((row) => ends(row).includes(party)));
    const at = new Map(there.map((party, number) => [party, LEFT + 40 + COLUMN * number]));
    const width = LEFT + COLUMN * Math.max(there.length, 3) + 260, height = HEAD + ROW * (rows.length + 1);
    const figure = document.createElement("figure");
    const svg = add(figure, "svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "img"});
    const name = table.caption.textContent + " as a diagram; the table below says the same";
    svg.setAttribute("aria-label", name);
    for (const [party, x] of at) {
      add(svg, "line", {class: "life", x1: x, y1: HEAD - 10, x2: x, y2: height});
      add(svg, "text", {class: "head", x, y: HEAD - 18, "text-anchor": "middle"}, party);
    }
    let y = HEAD;
    for (const row of rows) {
      const cells = [...row.cells].map((cell) => cell.textContent.trim());
      if (cells.length === 1) {
        add(svg, "text", {class: row.className === "bad" ? "fault" : "note", x: LEFT + 52, y: y + 18}, cells[0]);
        if (row.className === "bad") add(svg, "path", {class: "cross", d: `M${LEFT - 4} ${y + 8}l12 12m0 -12l-12 12`});
      } else {
        const one = at.get(ends(row)[0]), two = at.get(ends(row)[1]), tip = two > one ? -8 : 8;
        add(svg, "text", {class: "no", x: 8, y: y + 24}, `${cells[0]}  ·  ${cells[1]} s`);
        add(svg, "line", {class: "way", x1: one, y1: y + 20, x2: two, y2: y + 20});
        add(svg, "path", {class: "tip", d: `M${two} ${y + 20}l${tip} -4v8z`});
        add(svg, "text", {x: Math.min(one, two) + 12, y: y + 14}, cells[3]);
      }
      y += ROW;
    }
    figure.tabIndex = 0;
    figure.setAttribute("role", "group");
    figure.setAttribute("aria-label", table.caption.textContent + " as a diagram");
    table.parentElement.before(figure);
  };

  const open = (details) => {
    details.open = true;
    for (const waiting of details.querySelectorAll("noscript")) {
      const told = new DOMParser().parseFromString(waiting.textContent, "text/html").body.firstElementChild;
      const region = document.importNode(told, true);
      waiting.replaceWith(region);
      draw(region.querySelector("table"));
    }
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.open) open(event.target);
  }, true);

  const follow = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target) {
      for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") open(each);
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", follow);
  follow();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach(open);
  });
  addEventListener("afterprint", () => closed.forEach((details) => { details.open = false; }));

  // The table of machines: filtered by words, sorted by a column.
  const all = document.getElementById("all"), body = all.tBodies[0], rows = [...body.rows];
  const words = document.getElementById("words"), count = document.getElementById("count");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      row.hidden = !wanted.every((word) => texts[number].includes(word));
      shown += !row.hidden;
    });
    count.textContent = `${shown} of ${rows.length}`;
  };
  words.addEventListener("input", filter);
  document.getElementById("filter").hidden = false;
  filter();

  const RANK = {critical: 0, high: 1, medium: 2, low: 3, info: 4};
  const order = new Intl.Collator("en", {numeric: true});
  const key = (row, column) => row.cells[column].textContent.trim();
  const rank = (text) => RANK[text.split(" ").pop()] ?? 9;
  [...all.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button"), mark = document.createElement("span");
    const name = head.textContent;
    button.type = "button";
    mark.setAttribute("aria-hidden", "true");
    mark.textContent = " ↕";
    button.append(name, mark);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of all.tHead.rows[0].cells) {
        other.removeAttribute("aria-sort");
        other.querySelector("span").textContent = " ↕";
      }
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      mark.textContent = down ? " ↓" : " ↑";
      const compare = name === "Severity"
        ? (one, two) => rank(key(one, column)) - rank(key(two, column))
        : (one, two) => order.compare(key(one, column), key(two, column));
      body.append(...[...body.rows].sort((one, two) => (down ? -1 : 1) * compare(one, two)));
    });
  });
})();
