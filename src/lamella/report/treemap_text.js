// ---- Words

function bytes(count) {
  const size = Math.abs(count), minus = count < 0 ? "-" : "";
  if (size < 1000) return `${minus}${size} B`;
  return minus + (size < 1e6 ? `${(size / 1e3).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`);
}

function make(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// What stands in `backticks` is code
function worded(text) {
  const made = make("span");
  made.append(...text.split("`").map((part, at) => at % 2 ? make("code", part) : part));
  return made;
}

function figure(count, label, extra = "") {
  const item = make("li", undefined, { "data-bytes": count });
  if (extra) item.className = extra;
  item.append(make("b", bytes(count)), make("span", label));
  return item;
}

function figures() {
  const { after, before } = here, files = make("li", undefined, { "data-files": after.files });
  files.append(make("b", after.files.toLocaleString("en")), make("span", `of ${before.files.toLocaleString("en")} files`));
  const less = before[state.by] - after[state.by];
  const share = before[state.by] ? ` (${Math.round(Math.abs(less) / before[state.by] * 100)} %)` : "";
  element("figures").replaceChildren(
    figure(after.zipped, "zipped"), figure(after.unzipped, "unzipped"),
    figure(before.zipped, "zipped in the wheels"), figure(before.unzipped, "unzipped in the wheels"),
    figure(Math.abs(less), `${state.by} ${less < 0 ? "added" : "saved"}${share}`, less > 0 ? "good" : ""), files);
}

function crumbs() {
  const trail = [];
  for (let node = here; node; node = node.parent) trail.unshift(node);
  const items = trail.map((node, at) => at === trail.length - 1
    ? make("b", node.name, { "aria-current": "location" })
    : make("a", node.name, { href: address({ at: node.path }) }));
  element("crumbs").replaceChildren(...items.flatMap((item, at) => at ? [make("i", "/"), item] : [item]));
}

function row(cells, tag = "td") {
  const made = make("tr");
  cells.forEach((cell, at) => {
    const one = make(tag, typeof cell === "string" ? cell : undefined);
    if (typeof cell !== "string") one.append(cell);
    if (at && typeof cell === "string" && (/^[-\d]/.test(cell) || tag === "th")) one.className = "n";
    made.append(one);
  });
  return made;
}

function children() {
  element("here").textContent = here.name;
  const size = (node) => node[state.view][state.by];
  const rows = (here.children || []).filter((node) => node[state.view].files).sort((a, b) => size(b) - size(a));
  const largest = Math.max(1, ...rows.map(size));
  const lines = rows.slice(0, 200).map((node) => {
    const name = node.children ? make("a", node.name + "/", { href: address({ at: node.path }) }) : make("span", node.name);
    const share = make("span", undefined, { class: "share", style: `width: ${Math.round(90 * size(node) / largest)}px` });
    const sizes = node[state.view];
    return row([name, bytes(sizes.zipped), bytes(sizes.unzipped), bytes(node.before[state.by] - node.after[state.by]), share]);
  });
  if (rows.length > 200) lines.push(row([`and ${rows.length - 200} more`, "", "", "", ""]));
  element("children").replaceChildren(
    row([state.view === "after" ? "in the zip" : "in the wheels", "zipped", "unzipped", "saved", ""], "th"), ...lines);
}

function rules() {
  const at = state.by === "zipped" ? 0 : 1;
  const found = [...here.saved].sort((a, b) => b[1][at] - a[1][at]);
  const lines = found.map(([step, [zipped, unzipped, files]]) => {
    let name = make("span", step);
    if (stepHue.has(step)) {
      const on = state.rule === step;
      name = make("a", step, { href: address({ view: "before", rule: on ? "" : step }) });
      if (on) name.setAttribute("aria-current", "true");
    }
    const line = row([name, String(files), bytes(zipped), bytes(unzipped), worded(data.why[step] || "")]);
    line.dataset.rule = step;
    line.dataset.bytes = `${zipped} ${unzipped}`;
    return line;
  });
  const head = row(["rule or step", "files", "zipped", "unzipped", ""], "th");
  element("rules").replaceChildren(head, ...(lines.length ? lines : [row(["nothing was saved here", "", "", "", ""])]));
}

function key() {
  const items = [];
  const item = (colour, text, hatched, href) => {
    const line = make("li"), patch = make("i");
    patch.style.background = hatched
      ? `repeating-linear-gradient(135deg, ${colour} 0 3px, ${ink(0.45)} 3px 4px)` : colour;
    line.append(patch, href ? make("a", text, { href }) : make("span", text));
    items.push(line);
  };
  if (state.view === "before") {
    for (const step of steps) {
      if (here.saved.has(step)) item(hue(stepHue.get(step)), step, true, address({ rule: state.rule === step ? "" : step }));
    }
    item(css("--stdlib"), state.rule ? "stays, or goes by another rule" : "stays");
    if (state.rule) {
      const line = make("li");
      line.append(make("a", "show all rules", { href: address({ rule: "" }) }));
      items.push(line);
    }
  } else if (state.colour === "kind") {
    const used = new Set();
    walk(here, (leaf) => { if (leaf.after.zipped) used.add(leaf.kind); });
    for (const kind of [...used].sort((a, b) => a - b)) item(hue(kindHue[kind]), data.kinds[kind]);
  } else if (here.depth < (data.several ? 2 : 1)) {
    const names = [...hueOf.keys()].filter((name) => distributions.some((one) => one.name === name && one.after.zipped));
    for (const name of names.slice(0, data.hues)) item(hue(hueOf.get(name)), name);
    if (names.length > data.hues) items.push(make("li", `and ${names.length - data.hues} more`));
  }
  element("key").replaceChildren(...items);
}

function walk(node, visit) {
  if (node.children) node.children.forEach((child) => walk(child, visit));
  else visit(node);
}
