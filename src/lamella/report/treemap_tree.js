"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const canvas = element("map"), tip = element("tip");
const OTHER = { before: "after", after: "before" };
const DEFAULTS = { at: "", view: "after", by: "zipped", colour: "distribution", rule: "" };
const HEADER = 18, TEXT = "12px system-ui, sans-serif", BOLD = "600 12px system-ui, sans-serif";

// ---- The tree: sizes are added up once.  Each node has `after` and `before`, with `zipped` and `unzipped` of each

function sized(after, before) { return { after, before }; }
function sum(zipped, unzipped, files) { return { zipped, unzipped, files }; }

function grow(raw, parent, depth) {
  const node = { name: raw[0], parent, depth, saved: new Map() };
  node.path = parent ? (parent.path ? `${parent.path}/${raw[0]}` : raw[0]) : "";
  if (Array.isArray(raw[1])) {
    Object.assign(node, sized(sum(0, 0, 0), sum(0, 0, 0)));
    node.children = raw[1].map((child) => grow(child, node, depth + 1));
    for (const child of node.children) {
      for (const view of ["after", "before"]) {
        for (const what of ["zipped", "unzipped", "files"]) node[view][what] += child[view][what];
      }
      for (const [step, [zipped, unzipped, files]] of child.saved) add(node.saved, step, zipped, unzipped, files);
    }
    return node;
  }
  const [, kind, kept, step, reason, zipped, unzipped, wasZipped = zipped, wasUnzipped = unzipped, later = 0] = raw;
  Object.assign(node, { kind, kept, step: data.steps[step], reason: data.reasons[reason] });
  const made = kept && node.step === "bytecode";
  Object.assign(node, sized(sum(zipped, unzipped, kept && zipped ? 1 : 0), sum(wasZipped, wasUnzipped, made ? 0 : 1)));
  const less = [wasZipped - zipped, wasUnzipped - unzipped];
  if (later) add(node.saved, data.later, later, 0, 1);
  if (node.step || less[0] || less[1]) add(node.saved, node.step || "other", less[0] - later, less[1], 1);
  return node;
}

function add(saved, step, zipped, unzipped, files) {
  const [z, u, f] = saved.get(step) || [0, 0, 0];
  saved.set(step, [z + zipped, u + unzipped, f + files]);
}

const root = grow(data.tree, null, 0);
const distributions = (data.several ? root.children.flatMap((one) => one.children) : root.children)
  .slice().sort((a, b) => Math.max(b.after.zipped, b.before.zipped) - Math.max(a.after.zipped, a.before.zipped));
const hueOf = new Map();
for (const one of distributions) if (!hueOf.has(one.name)) hueOf.set(one.name, hueOf.size % data.hues);
const kindHue = data.kinds.map((_, at) => at % data.hues);
const steps = [...root.saved].filter(([, [zipped, unzipped]]) => zipped > 0 || unzipped > 0)
  .sort((a, b) => b[1][1] - a[1][1]).map(([step]) => step);
const stepHue = new Map(steps.map((step, at) => [step, at % data.hues]));

function find(path) {
  let node = root;
  while (node.path !== path && node.children) {
    const next = node.children.find(
      (child) => child.children && (path === child.path || path.startsWith(child.path + "/")));
    if (!next) break;
    node = next;
  }
  return node;
}

function distributionOf(node) {
  let one = node;
  while (one.depth > (data.several ? 2 : 1)) one = one.parent;
  return one.name;
}

// ---- State is in the address

let state = { ...DEFAULTS }, here = root, chosen = null, drawn = [], frame = 0;

function address(change) {
  const next = { ...state, ...change };
  const query = new URLSearchParams(Object.entries(next).filter(([name, value]) => value !== DEFAULTS[name]));
  return "#" + query.toString().replaceAll("%2F", "/");
}

function read() {
  const query = new URLSearchParams(location.hash.slice(1));
  state = { ...DEFAULTS };
  for (const [name, known] of [["view", ["after", "before"]], ["by", ["zipped", "unzipped"]],
    ["colour", ["distribution", "kind"]], ["rule", steps]]) {
    if (known.includes(query.get(name))) state[name] = query.get(name);
  }
  here = find(query.get("at") || "");
  state.at = here.path;
  chosen = null;
}

function go(change) { location.hash = address(change); }
