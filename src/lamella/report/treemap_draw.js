// ---- Colours

let colours = new Map();
function css(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return colours.get(name);
}
function hue(number) { return css(`--hue-${number}`); }
function ink(strength) { return `color-mix(in srgb, ${css("--ink")} ${strength * 100}%, transparent)`; }

function colourOf(node) {
  if (state.view === "before") return css("--stdlib");
  if (state.colour === "kind") return node.children ? css("--panel") : hue(kindHue[node.kind]);
  if (data.several && node.depth < 2) return css("--panel");
  return node.depth ? hue(hueOf.get(distributionOf(node))) : css("--panel");
}

// ---- The map.  Squarified treemaps: Bruls, Huizing and van Wijk, 2000

function squarify(items, x, y, width, height, place) {
  let total = items.reduce((all, [, size]) => all + size, 0), at = 0;
  while (at < items.length && width > 0 && height > 0) {
    const short = Math.min(width, height), scale = width * height / total;
    let area = 0, end = at, worst = Infinity;
    while (end < items.length) {
      const grown = area + items[end][1] * scale, side = grown / short;
      const first = items[at][1] * scale / side, last = items[end][1] * scale / side;
      const ratio = Math.max(side / last, last / side, side / first, first / side);
      if (ratio > worst) break;
      worst = ratio;
      area = grown;
      end += 1;
    }
    const side = area / short;
    let along = 0;
    for (; at < end; at += 1) {
      const length = items[at][1] * scale / side;
      if (width >= height) place(items[at][0], x, y + along, side, length);
      else place(items[at][0], x + along, y, length, side);
      along += length;
      total -= items[at][1];
    }
    if (width >= height) { x += side; width -= side; } else { y += side; height -= side; }
  }
}

function draw() {
  frame = 0;
  const width = canvas.clientWidth, height = Math.round(Math.max(300, Math.min(width * 0.62, innerHeight * 0.68)));
  const ratio = devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.textBaseline = "middle";
  drawn = [];
  const size = here[state.view][state.by], other = here[OTHER[state.view]][state.by];
  const used = size < other ? height * size / other : height;
  if (size) inside(pen, here, 0, 0, width, used, 0);
  if (height - used >= 1) rest(pen, used, width, height - used, other - size);
  if (chosen) outline(pen);
}

function rest(pen, y, width, height, count) {
  hatch(pen, 0, y, width, height, css("--panel"), ink(0.12));
  const what = state.view === "after" ? "saved" : "added";
  if (height > 22) {
    pen.font = BOLD;
    const text = `${bytes(count)} ${what}`, length = pen.measureText(text).width;
    pen.fillStyle = css("--panel");
    pen.fillRect(width / 2 - length / 2 - 10, y + height / 2 - 11, length + 20, 22);
    pen.fillStyle = css("--muted");
    pen.fillText(text, width / 2 - length / 2, y + height / 2);
  }
}

function inside(pen, node, x, y, width, height, depth) {
  const items = [];
  for (const child of node.children) {
    const size = child[state.view][state.by];
    if (size > 0) items.push([child, size]);
  }
  items.sort((a, b) => b[1] - a[1]);
  squarify(items, x, y, width, height, (child, left, top, wide, high) => {
    if (wide >= 1 && high >= 1) box(pen, child, left, top, wide, high, depth);
  });
}

function box(pen, node, x, y, width, height, depth) {
  drawn.push({ node, x, y, width, height, depth });
  const gap = width > 4 && height > 4 ? 1 : 0;
  pen.fillStyle = colourOf(node);
  pen.fillRect(x, y, width - gap, height - gap);
  if (!node.children) {
    if (state.view === "before") gone(pen, node, x, y, width - gap, height - gap);
    label(pen, node.name, x, y + height / 2, width, height, TEXT);
    return;
  }
  if (width < 6 || height < 6) {
    if (state.view === "before") mixed(pen, node, x, y, width - gap, height - gap);
    return;
  }
  const top = height > 44 && width > 54 ? HEADER : 0, edge = width > 24 && height > 24 ? 2 : 0;
  // What shows between the files, and behind the folder's name
  pen.fillStyle = ink(0.14);
  pen.fillRect(x, y, width - gap, height - gap);
  if (top) label(pen, node.name, x, y + top / 2 + 1, width, top, depth ? TEXT : BOLD, bytes(node[state.view][state.by]));
  inside(pen, node, x + edge, y + (top || edge), width - 2 * edge - gap, height - (top || edge) - edge - gap, depth + 1);
}

// What left of a file, by area: all of it, or a strip of what stays
function gone(pen, node, x, y, width, height) {
  const lost = node.before[state.by] - node.after[state.by];
  if (!node.step || lost <= 0 || (state.rule && state.rule !== node.step)) return;
  const part = lost / node.before[state.by], strip = Math.max(1, width * part);
  const colour = hue(stepHue.get(node.step) ?? 0);
  if (strip < 4 || height < 4) {
    pen.fillStyle = colour;
    pen.fillRect(x + width - strip, y, strip, height);
  } else hatch(pen, x + width - strip, y, strip, height, colour, ink(0.18));
}

// A folder that is too small to look into has the colour of what took most from it
function mixed(pen, node, x, y, width, height) {
  const at = state.by === "zipped" ? 0 : 1;
  let most = 0, step = "";
  for (const [name, sizes] of node.saved) {
    if (sizes[at] > most && (!state.rule || state.rule === name)) [most, step] = [sizes[at], name];
  }
  if (!step) return;
  pen.fillStyle = hue(stepHue.get(step) ?? 0);
  const strip = width * Math.min(1, most / node.before[state.by]);
  pen.fillRect(x + width - strip, y, strip, height);
}

function hatch(pen, x, y, width, height, colour, line) {
  pen.fillStyle = colour;
  pen.fillRect(x, y, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.strokeStyle = line;
  pen.lineWidth = 1;
  pen.beginPath();
  // Lines have their places on the map, so that neighbours go on into each other
  for (let at = Math.floor((x + y) / 7) * 7; at < x + y + width + height; at += 7) {
    pen.moveTo(at - y, y);
    pen.lineTo(at - y - height, y + height);
  }
  pen.stroke();
  pen.restore();
}

function label(pen, text, x, middle, width, height, font, extra = "") {
  if (width < 30 || height < 13) return;
  pen.font = font;
  pen.fillStyle = css("--ink");
  const room = width - 10;
  let shown = text, length = pen.measureText(text).width;
  if (length > room) {
    shown = text.slice(0, Math.max(0, Math.floor(text.length * (room - 8) / length)));
    if (shown.length < 3) return;
    shown += "…";
    length = room;
  }
  pen.fillText(shown, x + 5, middle);
  if (!extra) return;
  pen.font = TEXT;
  const wide = pen.measureText(extra).width;
  if (length + wide + 22 > width) return;
  pen.fillStyle = ink(0.72);
  pen.fillText(extra, x + width - wide - 7, middle);
}

function outline(pen) {
  const at = drawn.find((one) => one.node === chosen);
  if (!at) return;
  pen.strokeStyle = css("--mark");
  pen.lineWidth = 3;
  pen.strokeRect(at.x + 1.5, at.y + 1.5, Math.max(1, at.width - 4), Math.max(1, at.height - 4));
}

function redraw() { if (!frame) frame = requestAnimationFrame(draw); }
