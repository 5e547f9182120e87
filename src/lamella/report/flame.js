"use strict";
(() => {
  const NAME = 0, ORIGIN = 1, OWN = 2, ALL = 3, BELOW = 4;
  const ROW = 21, LETTER = 7.3, LEAST = 0.6;
  const SVG = "http://www.w3.org/2000/svg";
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = document.getElementById("find");
  const out = document.getElementById("out");
  const told = document.getElementById("told");
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.append(tip);

  const state = { zoom: "", find: "" };
  const graphs = data.graphs.map((graph, at) => ({
    ...graph,
    box: document.getElementById(`graph-${at}`),
    paths: pathsOf(graph.tree),
  }));

  // The way from the root to the most expensive import of each name
  function pathsOf(tree) {
    const paths = new Map();
    const visit = (node, above) => {
      const path = [...above, node];
      const known = paths.get(node[NAME]);
      if (!known || known[known.length - 1][ALL] < node[ALL]) paths.set(node[NAME], path);
      for (const below of node[BELOW]) visit(below, path);
    };
    visit(tree, []);
    return paths;
  }

  function time(micro) {
    return `${(micro / 1000).toFixed(micro < 10000 ? 2 : 1)} ms`;
  }

  function share(part, whole) {
    return whole ? `${((100 * part) / whole).toFixed(1)} %` : "–";
  }

  function matches(node) {
    return state.find !== "" && node[NAME].toLowerCase().includes(state.find.toLowerCase());
  }

  function element(name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function fitted(name, width) {
    const room = Math.floor((width - 8) / LETTER);
    if (name.length <= room) return name;
    const last = name.slice(name.lastIndexOf(".") + 1);
    if (last.length < name.length && last.length + 1 <= room) return `…${last}`;
    return room >= 4 ? `${last.slice(0, room - 1)}…` : "";
  }

  function draw(graph) {
    const path = state.zoom ? graph.paths.get(state.zoom) : [graph.tree];
    graph.box.classList.toggle("finding", state.find !== "");
    if (!path) {
      const none = document.createElement("p");
      none.textContent = `${state.zoom} is not imported here.`;
      graph.box.replaceChildren(none);
      return;
    }
    const full = Math.max(320, graph.box.clientWidth - 10);
    const focus = path[path.length - 1];
    // Builds are drawn to the same scale, so that what became faster is narrower
    const widest = Math.max(...graphs.map((other) => {
      const way = state.zoom ? other.paths.get(state.zoom) : [other.tree];
      return way ? way[way.length - 1][ALL] : 0;
    })) || 1;
    const scale = full / widest;
    const drawn = [];
    let depth = 0;
    path.slice(0, -1).forEach((node, level) => drawn.push([node, 0, Math.max(focus[ALL] * scale, LEAST), level, "above"]));
    const place = (node, x, level) => {
      const width = node[ALL] * scale;
      if (width < LEAST) return;
      drawn.push([node, x, width, level, ""]);
      depth = Math.max(depth, level);
      let at = x;
      for (const below of node[BELOW]) {
        place(below, at, level + 1);
        at += below[ALL] * scale;
      }
    };
    place(focus, 0, path.length - 1);
    const svg = element("svg", { height: (depth + 1) * ROW + 2, role: "presentation" });
    for (const [node, x, width, level, kind] of drawn) svg.append(bar(graph, node, x, width, level, kind, node === focus));
    graph.box.replaceChildren(svg);
  }

  function bar(graph, node, x, width, level, kind, first) {
    const [origin, colour] = data.origins[node[ORIGIN]];
    const lost = colour === "lost";
    const group = element("g", {
      role: "treeitem",
      tabindex: first ? "0" : "-1",
      "aria-level": level + 1,
      "aria-label": `${node[NAME]}, ${time(node[ALL])}, ${share(node[ALL], graph.tree[ALL])}, ${origin}`,
      "data-module": node[NAME],
    });
    if (kind) group.classList.add(kind);
    if (lost) group.classList.add("lost");
    if (matches(node)) group.classList.add("found");
    const rect = element("rect", { x: x + 0.5, y: level * ROW + 0.5, width: Math.max(width - 0.5, 0.4), height: ROW - 1, rx: width > 6 ? 3 : 0 });
    if (!lost) rect.style.fill = `var(--${colour})`;
    group.append(rect);
    const shown = fitted(node[NAME], width);
    if (shown) {
      const text = element("text", { x: x + 6, y: level * ROW + 15 });
      text.textContent = shown;
      group.append(text);
    }
    group.node = node;
    group.graph = graph;
    return group;
  }

  function show() {
    for (const graph of graphs) draw(graph);
    out.disabled = state.zoom === "";
    if (find.value.trim() !== state.find) find.value = state.find;
    tell();
  }

  function tell() {
    if (state.find === "") {
      told.textContent = state.zoom ? `Zoomed to ${state.zoom}` : "Click a module to zoom, Esc to go back";
      return;
    }
    told.textContent = graphs.map((graph) => {
      const names = new Set();
      let sum = 0;
      const visit = (node, within) => {
        const hit = matches(node);
        if (hit) names.add(node[NAME]);
        // What a match imported is part of its time already
        if (hit && !within) sum += node[ALL];
        for (const below of node[BELOW]) visit(below, within || hit);
      };
      visit(graph.tree, false);
      const label = graphs.length > 1 ? `${graph.label}: ` : "";
      return `${label}${names.size} module${names.size === 1 ? "" : "s"} and what they import, ${time(sum)} (${share(sum, graph.tree[ALL])})`;
    }).join("; ");
  }

  // The address has the state: the browser's way back is the way back, and a view can be sent on
  function read() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const zoom = asked.get("zoom") || "";
    state.zoom = graphs.some((graph) => graph.paths.has(zoom) && graph.tree[NAME] !== zoom) ? zoom : "";
    state.find = asked.get("find") || "";
    show();
  }

  function go(change, replace) {
    const next = { ...state, ...change };
    const asked = new URLSearchParams();
    for (const [key, value] of Object.entries(next)) if (value) asked.set(key, value);
    const address = `#${asked}`;
    if (replace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    read();
  }

  function barOf(event) {
    return event.target.closest ? event.target.closest("g[role=treeitem]") : null;
  }

  function zoomTo(node) {
    go({ zoom: node[NAME] === state.zoom ? "" : node[NAME] });
  }

  function hint(group, x, y) {
    const { node, graph } = group;
    const [origin, colour] = data.origins[node[ORIGIN]];
    const name = document.createElement("b");
    name.textContent = node[NAME];
    const from = document.createElement("span");
    from.textContent = colour === "lost" ? "tried, and not found" : origin;
    const times = document.createElement("div");
    times.textContent = `${time(node[ALL])} with all it imports (${share(node[ALL], graph.tree[ALL])}), ${time(node[OWN])} itself`;
    tip.replaceChildren(name, from, times);
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
    tip.style.top = `${y + height + 26 > innerHeight ? y - height - 12 : y + 18}px`;
  }

  function neighbour(group, key) {
    const all = [...group.parentNode.children];
    const level = Number(group.getAttribute("aria-level"));
    const at = all.indexOf(group);
    const same = (step) => {
      for (let next = at + step; next >= 0 && next < all.length; next += step) {
        const there = Number(all[next].getAttribute("aria-level"));
        if (there === level) return all[next];
      }
      return null;
    };
    if (key === "ArrowRight") return same(1);
    if (key === "ArrowLeft") return same(-1);
    if (key === "ArrowDown") {
      const next = all[at + 1];
      return next && Number(next.getAttribute("aria-level")) === level + 1 ? next : null;
    }
    return all.slice(0, at).reverse().find((other) => Number(other.getAttribute("aria-level")) === level - 1) || null;
  }

  for (const graph of graphs) {
    graph.box.addEventListener("click", (event) => {
      const group = barOf(event);
      if (group) zoomTo(group.node);
    });
    graph.box.addEventListener("pointermove", (event) => {
      const group = barOf(event);
      if (group) hint(group, event.clientX, event.clientY);
      else tip.hidden = true;
    });
    graph.box.addEventListener("pointerleave", () => { tip.hidden = true; });
    graph.box.addEventListener("focusin", (event) => {
      const group = barOf(event);
      if (!group || !group.matches(":focus-visible")) return;
      const place = group.getBoundingClientRect();
      hint(group, place.left, place.top);
    });
    graph.box.addEventListener("focusout", () => { tip.hidden = true; });
    graph.box.addEventListener("keydown", (event) => {
      const group = barOf(event);
      if (!group) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        const name = group.node[NAME];
        zoomTo(group.node);
        const again = [...graph.box.querySelectorAll("g")].find((other) => other.node[NAME] === name);
        if (again) again.focus();
      } else if (event.key.startsWith("Arrow")) {
        event.preventDefault();
        const next = neighbour(group, event.key);
        if (next) {
          group.setAttribute("tabindex", "-1");
          next.setAttribute("tabindex", "0");
          next.focus();
        }
      }
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (state.find) go({ find: "" });
    else if (state.zoom) go({ zoom: "" });
  });
  find.addEventListener("input", () => go({ find: find.value.trim() }, true));
  out.addEventListener("click", () => go({ zoom: "" }));
  addEventListener("popstate", read);
  addEventListener("hashchange", read);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    requestAnimationFrame(show);
  });
  read();
})();
