/*
 * flame.js - the tree of call stacks as an icicle graph: the boxes, and their places.
 *
 * Nothing here touches the page: page.js draws what layout() gives, and tests call the same
 * functions.
 *
 * A model has frames (function, file, line, module, own) and the stacks as a tree in preorder:
 * depth[i] and frame[i] of node i.  Leaves carry figures of an old and a new side; of a series also
 * slope[i], what they grow by, and verdict[i], a number: the larger, the worse.
 */
"use strict";

const Flame = (() => {
	/** A number for each frame; frames with equal numbers are merged: the function in its
	 * module, or its line, too. */
	function keysOf(model, byLine) {
		const seen = new Map();
		return model.frames.map((f) => {
			const text = byLine ? f.join("\u0000") : f[0] + "\u0000" + f[3] +
				(f[0] === 0 ? "\u0000" + f[1] + f[2] : "");
			if (!seen.has(text))
				seen.set(text, seen.size + 2);
			return seen.get(text);
		});
	}

	/** The parent of each node of a tree in preorder; -1 for the outermost. */
	function parentsOf(depth) {
		const open = [], parents = new Int32Array(depth.length);
		for (let i = 0; i < depth.length; i++) {
			parents[i] = depth[i] > 0 ? open[depth[i] - 1] : -1;
			open[depth[i]] = i;
		}
		return parents;
	}

	/** A larger copy of a typed array. */
	function grown(array, size) {
		const more = new array.constructor(size);
		more.set(array);
		return more;
	}

	/**
	 * A view with room for `room` nodes; node 0 is the root.  `table` finds a child by its parent
	 * and key: open addressing, 0 is free.
	 */
	function newView(room) {
		let slots = 1024;
		while (slots < 2 * room)
			slots *= 2;
		const view = {count: 1, table: new Int32Array(slots), parent: new Int32Array(room), frame: new Int32Array(room),
			key: new Int32Array(room), collapsed: new Uint8Array(room), self: [new Float64Array(room),
				new Float64Array(room)], slope: new Float64Array(room), verdict: new Uint8Array(room), matched: null};
		view.parent[0] = view.frame[0] = -1;
		return view;
	}

	function slotOf(view, parent, key) {
		const mask = view.table.length - 1;
		let at = (Math.imul(parent, 0x9e3779b1) ^ Math.imul(key, 0x85ebca6b)) >>> 0;
		at = (at ^ at >>> 15) & mask;
		for (let node; (node = view.table[at]) !== 0; at = at + 1 & mask)
			if (view.parent[node] === parent && view.key[node] === key)
				break;
		return at;
	}

	function grow(view) {
		const room = 2 * view.parent.length;
		for (const name of ["parent", "frame", "key", "collapsed", "slope", "verdict"])
			view[name] = grown(view[name], room);
		view.self = view.self.map((side) => grown(side, room));
		view.table = new Int32Array(2 * view.table.length);
		for (let node = 1; node < view.count; node++)
			view.table[slotOf(view, view.parent[node], view.key[node])] = node;
	}

	function childOf(view, parent, key, frame, collapsed) {
		let at = slotOf(view, parent, key);
		if (view.table[at] !== 0)
			return view.table[at];
		if (view.count === view.parent.length) {
			grow(view);
			at = slotOf(view, parent, key);
		}
		const node = view.count++;
		view.table[at] = node;
		view.parent[node] = parent;
		view.frame[node] = frame;
		view.key[node] = key;
		view.collapsed[node] = collapsed ? 1 : 0;
		return node;
	}

	/** The ancestor (or self) of `node` with this key, to which a recursion returns; -1:
	 * none. */
	function ancestorWith(view, node, key) {
		for (; node > 0; node = view.parent[node])
			if (view.key[node] === key)
				return node;
		return -1;
	}

	/** Go one frame further from `at`.  When library frames are collapsed, neighbouring ones
	 * share a box. */
	function step(view, at, frame, keys, model, options) {
		const key = keys[frame];
		if (options.collapse && !model.frames[frame][4]) {
			if (view.collapsed[at])
				return at;
			return childOf(view, at, 1, frame, true);
		}
		if (options.fold) {
			const before = ancestorWith(view, at, key);
			if (before > 0)
				return before;
		}
		return childOf(view, at, key, frame, false);
	}

	/**
	 * The view that `options` ask for: {metric, byLine, inverted, fold, collapse, show}, where show is "" (what there
	 * is), "changed", "slope" or "verdict".
	 * Totals follow; children of a node are sorted by weight, the heaviest first.
	 */
	function build(model, options) {
		const view = newView(model.depth.length + 2), keys = keysOf(model, options.byLine);
		const parents = model.parents || (model.parents = parentsOf(model.depth));
		const place = new Int32Array(model.depth.length);
		const values = model.values[options.metric];

		if (!options.inverted)
			for (let i = 0; i < place.length; i++)
				place[i] = step(view, parents[i] < 0 ? 0 : place[parents[i]], model.frame[i], keys,
						model, options);
		for (let leaf = 0; leaf < model.leaf.length; leaf++) {
			let at = place[model.leaf[leaf]];
			if (options.inverted) {
				at = 0;
				for (let n = model.leaf[leaf]; n >= 0; n = parents[n])
					at = step(view, at, model.frame[n], keys, model, options);
			}
			view.self[0][at] += values[0][leaf];
			view.self[1][at] += values[1][leaf];
			if (model.slope) {
				view.slope[at] += model.slope[leaf];
				view.verdict[at] = Math.max(view.verdict[at], model.verdict[leaf]);
			}
		}
		sum(view, options);
		return view;
	}

	/**
	 * Weight of a stack: its larger side, how much it changed, or what it grows by.  Weights are summed
	 * from the stacks up, so that a box is as wide as what is under it.
	 */
	function weigh(a, b, slope, show) {
		return show === "changed" ? Math.abs(b - a) : show === "slope" ? Math.max(slope, 0) : Math.max(a, b);
	}

	function sum(view, options) {
		const count = view.count;
		view.total = view.self.map((side) => side.slice(0, count));
		view.weight = new Float64Array(count);
		for (let i = 0; i < count; i++)
			view.weight[i] = weigh(view.self[0][i], view.self[1][i], view.slope[i], options.show);
		/* Children have larger numbers than their parents. */
		for (let i = count - 1; i > 0; i--) {
			const parent = view.parent[i];
			view.total[0][parent] += view.total[0][i];
			view.total[1][parent] += view.total[1][i];
			view.weight[parent] += view.weight[i];
			view.slope[parent] += view.slope[i];
			view.verdict[parent] = Math.max(view.verdict[parent], view.verdict[i]);
		}
		link(view);
	}

	/** Children as lists: first[node], then next[child].  They are sorted when they are asked for. */
	function link(view) {
		view.first = new Int32Array(view.count);
		view.next = new Int32Array(view.count);
		for (let i = view.count - 1; i > 0; i--)
			if (view.weight[i] > 0) {
				view.next[i] = view.first[view.parent[i]];
				view.first[view.parent[i]] = i;
			}
		view.sorted = new Map();
	}

	/** The children of a node that weigh something, the heaviest first. */
	function childrenOf(view, node) {
		let list = view.sorted.get(node);
		if (list)
			return list;
		list = [];
		for (let child = view.first[node]; child !== 0; child = view.next[child])
			list.push(child);
		list.sort((a, b) => view.weight[b] - view.weight[a] || a - b);
		view.sorted.set(node, list);
		return list;
	}

	/** The nodes from the root to `node`, both included. */
	function pathTo(view, node) {
		const path = [];
		for (; node >= 0; node = view.parent[node])
			path.push(node);
		return path.reverse();
	}

	/**
	 * The boxes to draw when `zoom` fills the width: [{node, x, width, level}], in pixels.  Boxes
	 * narrower than `least` are left out, with all that is under them.
	 */
	function layout(view, zoom, width, least) {
		const boxes = [];
		pathTo(view, zoom).forEach((node, level) => boxes.push({node, x: 0, width, level}));
		const stack = [{node: zoom, x: 0, scale: view.weight[zoom] > 0 ? width / view.weight[zoom] : 0,
				level: boxes.length}];
		while (stack.length) {
			const {node, x, scale, level} = stack.pop();
			let at = x;
			for (const child of childrenOf(view, node)) {
				const wide = view.weight[child] * scale;
				if (wide < least)
					break; /* the others are narrower */
				boxes.push({node: child, x: at, width: wide, level});
				stack.push({node: child, x: at, scale, level: level + 1});
				at += wide;
			}
		}
		return boxes;
	}

	/**
	 * Mark the nodes whose name `test` accepts.  Returns the matched weight, each stack counted
	 * once, and how many nodes match.
	 */
	function search(view, test) {
		const count = view.count, under = new Uint8Array(count);
		let weight = 0, nodes = 0;
		view.matched = new Uint8Array(count);
		for (let i = 1; i < count; i++) {
			const matches = test(i);
			view.matched[i] = matches ? 1 : 0;
			under[i] = under[view.parent[i]];
			if (matches) {
				nodes++;
				if (!under[i])
					weight += view.weight[i];
				under[i] = 1;
			}
		}
		return {weight, nodes, share: view.weight[0] > 0 ? weight / view.weight[0] : 0};
	}

	return {build, childrenOf, layout, pathTo, search, weigh, parentsOf};
})();

if (typeof module !== "undefined")
	module.exports = Flame;
