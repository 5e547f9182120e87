// ---- Pointer and keys

function under(event) {
  const { left, top } = canvas.getBoundingClientRect(), x = event.clientX - left, y = event.clientY - top;
  for (let at = drawn.length - 1; at >= 0; at -= 1) {
    const one = drawn[at];
    if (x >= one.x && x < one.x + one.width && y >= one.y && y < one.y + one.height) return one;
  }
  return null;
}

function about(node) {
  const { after, before } = node, lines = [];
  const same = after.zipped === before.zipped && after.unzipped === before.unzipped;
  const both = (sizes) => `${bytes(sizes.unzipped)}, ${bytes(sizes.zipped)} zipped`;
  if (after.files) lines.push(same || !before.files ? both(after) : `${both(after)}; in the wheels ${both(before)}`);
  else lines.push(`left out: ${both(before)} in the wheel`);
  if (node.children) lines.push(`${after.files} of ${before.files} files`);
  else lines.push([data.kinds[node.kind], node.step].filter(Boolean).join(" · "), node.reason);
  return lines.filter(Boolean);
}

function tell(node, x, y) {
  tip.replaceChildren(make("b", node.path), ...about(node).map((line) => {
    const made = make("p");
    made.append(worded(line));
    return made;
  }));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 12) : y + 18}px`;
}

function folderOf(node) {
  const folder = node.children ? node : node.parent;
  return folder === here ? null : folder;
}

canvas.addEventListener("pointermove", (event) => {
  const one = under(event);
  if (!one) { tip.hidden = true; return; }
  tell(one.node, event.clientX, event.clientY);
  if (chosen !== one.node) { chosen = one.node; redraw(); }
});
canvas.addEventListener("pointerleave", () => { tip.hidden = true; chosen = null; redraw(); });
canvas.addEventListener("click", (event) => {
  const one = under(event), folder = one && folderOf(one.node);
  if (folder) go({ at: folder.path });
});
canvas.addEventListener("blur", () => { tip.hidden = true; chosen = null; redraw(); });

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

canvas.addEventListener("keydown", (event) => {
  if (event.key === "Escape" || event.key === "Backspace") {
    if (here.parent) go({ at: here.parent.path });
  } else if (event.key === "Enter") {
    if (chosen && folderOf(chosen)) go({ at: folderOf(chosen).path });
  } else if (STEPS[event.key]) {
    choose(neighbour(...STEPS[event.key]));
  } else return;
  event.preventDefault();
});

function neighbour(right, down) {
  const level = drawn.filter((one) => one.depth === 0), from = level.find((one) => one.node === chosen);
  if (!from) return level[0];
  const middle = (one) => [one.x + one.width / 2, one.y + one.height / 2], [x, y] = middle(from);
  let best = from, least = Infinity;
  for (const one of level) {
    const [left, top] = middle(one), ahead = (left - x) * right + (top - y) * down;
    const aside = Math.abs((left - x) * down) + Math.abs((top - y) * right);
    if (one !== from && ahead > 0 && ahead + 2 * aside < least) [best, least] = [one, ahead + 2 * aside];
  }
  return best;
}

function choose(one) {
  if (!one) return;
  chosen = one.node;
  const { left, top } = canvas.getBoundingClientRect();
  tell(chosen, left + one.x + Math.min(40, one.width / 2), top + one.y + Math.min(20, one.height / 2));
  element("spoken").textContent = [chosen.name, ...about(chosen)].join(". ");
  redraw();
}

// ---- All of it

function render() {
  read();
  tip.hidden = true;
  for (const button of document.querySelectorAll("[data-set]")) {
    const [name, value] = button.dataset.set.split("=");
    button.setAttribute("aria-pressed", String(state[name] === value));
  }
  element("colours").hidden = state.view === "before";
  figures();
  crumbs();
  children();
  rules();
  key();
  draw();
}

for (const button of document.querySelectorAll("[data-set]")) {
  button.addEventListener("click", () => {
    const [name, value] = button.dataset.set.split("=");
    go(name === "view" && value === "after" ? { view: value, rule: "" } : { [name]: value });
  });
}
addEventListener("hashchange", render);
addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours = new Map(); render(); });
render();
