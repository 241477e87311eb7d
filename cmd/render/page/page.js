/*
 * page.js - the page: decodes the data, draws what flame.js lays out, and keeps one selection that
 * every view follows.  Names come from untrusted files: they only ever become text nodes.
 */
"use strict";

(() => {
	const ROW = 20, LEAST = 0.7; /* height of a box, and the narrowest that is drawn, in pixels */
	const byId = (id) => document.getElementById(id);
	const state = {metric: "live_bytes", inverted: false, show: "", byLine: false, fold: true, collapse: false,
		       query: "", row: -1};
	const verdicts = [""]; /* by rising harm; the index is the verdict's number in flame.js */
	let data, view, boxes = [], drawn = new Map(), zoom = 0, current = 0;

	/* ---- words ---- */

	function bytes(value, sign) {
		const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
		const mark = value < 0 ? "-" : sign && value > 0 ? "+" : "";
		let magnitude = Math.abs(value), unit = 0;
		while (magnitude >= 1023.95 && unit < units.length - 1) {
			magnitude /= 1024;
			unit++;
		}
		return mark + (unit ? magnitude.toFixed(1) : Math.round(magnitude)) + " " + units[unit];
	}

	function count(value, sign) {
		return (sign && value > 0 ? "+" : "") + Math.round(value).toLocaleString("en-US");
	}

	const isBytes = (metric) => metric.endsWith("bytes");
	const figure = (value, sign) => isBytes(state.metric) ? bytes(value, sign) : count(value, sign);

	function element(name, attributes, ...children) {
		const made = document.createElement(name);
		for (const [key, value] of Object.entries(attributes || {}))
			if (key.startsWith("on"))
				made.addEventListener(key.slice(2), value);
			else if (value !== null && value !== undefined && value !== false)
				made.setAttribute(key, value === true ? "" : value);
		for (const child of children)
			made.append(child);
		return made;
	}

	/* ---- data ---- */

	function fromBase64(text) {
		const binary = atob(text.replace(/\s+/g, "")), out = new Uint8Array(binary.length);
		for (let i = 0; i < binary.length; i++)
			out[i] = binary.charCodeAt(i);
		return out;
	}

	/** The bytes of the data block: JSON, then numbers. */
	async function unpack(block) {
		const packed = fromBase64(block.textContent);
		if (typeof DecompressionStream !== "function")
			return Inflate.gunzip(packed, Number(block.dataset.size));
		const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
		return new Uint8Array(await new Response(stream).arrayBuffer());
	}

	/** Reads numbers as html_data.c writes them: seven bits a byte, the lowest first. */
	function numberReader(raw, at) {
		return (count) => {
			const out = new Float64Array(count);
			for (let i = 0; i < count; i++) {
				let value = 0, place = 1, byte;
				do {
					byte = raw[at++];
					value += (byte & 127) * place;
					place *= 128;
				} while (byte > 127);
				out[i] = value;
			}
			return out;
		};
	}

	async function decode() {
		const block = byId("data"), raw = await unpack(block), size = Number(block.dataset.json);
		const made = JSON.parse(new TextDecoder().decode(raw.subarray(0, size)));
		const s = made.stacks, read = numberReader(raw, size);
		s.depth = Int32Array.from(read(s.nodes));
		s.frame = Int32Array.from(read(s.nodes));
		s.leaf = Int32Array.from(read(s.leaves));
		for (let i = 1; i < s.leaf.length; i++)
			s.leaf[i] += s.leaf[i - 1];
		s.values = {};
		for (const metric of s.metrics) {
			const sides = [];
			for (let side = 0; side < s.sides; side++)
				sides.push(read(s.leaves));
			s.values[metric] = sides.length === 2 ? sides : [sides[0], sides[0]];
		}
		return made;
	}

	/* ---- the flame graph ---- */

	function frameOf(node) {
		return node === 0 ? null : data.stacks.frames[view.frame[node]];
	}

	function text(frame, withLine) {
		const s = data.stacks.strings;
		const place = s[frame[1]] ? s[frame[1]].split("/").pop() + (frame[2] ? ":" + frame[2] : "") : "";
		return (s[frame[0]] || s[frame[3]] || "?") + (withLine && place ? " " + place : "");
	}

	function nameOf(node) {
		if (node === 0)
			return "all";
		return view.collapsed[node] ? "library code" : text(frameOf(node), state.byLine);
	}

	/* ---- colours ---- */

	const channel = (part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
	const luminance = (rgb) => rgb.reduce((sum, part, i) => sum + [0.2126, 0.7152, 0.0722][i] * channel(part / 255), 0);

	/** A fill colour, and the text colour, black or white, with more contrast on it. */
	function paint(rgb) {
		const light = luminance(rgb); /* black or white: one of them always stands out by 4.5 to 1 */
		return {fill: "#" + rgb.map((part) => Math.round(part).toString(16).padStart(2, "0")).join(""),
			ink: (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) ? "#000000" : "#ffffff"};
	}

	const GREY = [207, 212, 218], STEPS = 24;
	const towards = (end) => Array.from({length: STEPS + 1}, (_, i) =>
		paint(GREY.map((g, c) => g + (end[c] - g) * Math.sqrt(i / STEPS))));

	/*
	 * From blue (shrank) over grey to orange (grew); the lightness differs too, so that print and
	 * colour-blind people can tell them apart.  New and gone have marks as well.
	 */
	const PAINTS = {grew: towards([217, 95, 2]), shrank: towards([43, 108, 176]), library: paint(GREY),
		own: Array.from({length: 24}, (_, i) => paint([238, 172 + i, 110 + 3 * i])), verdict: [paint(GREY)]};

	function paintOf(node) {
		const a = view.total[0][node], b = view.total[1][node], most = Math.max(a, b);
		if (data.mode === "top") {
			const frame = frameOf(node);
			return frame && frame[4] ? PAINTS.own[view.frame[node] * 37 % 24] : PAINTS.library;
		}
		if (state.show === "verdict")
			return PAINTS.verdict[view.verdict[node]];
		const strength = most > 0 ? Math.round(Math.min(1, Math.abs(b - a) / most) * STEPS) : 0;
		return (b > a ? PAINTS.grew : PAINTS.shrank)[strength];
	}

	function mark(node) {
		const a = view.total[0][node], b = view.total[1][node];
		if (data.mode === "top" || a > 0 && b > 0 || a === b)
			return "";
		return a > 0 ? "− " : "+ ";
	}

	function rebuild() {
		const started = performance.now();
		view = Flame.build(data.stacks, state);
		zoom = current = 0;
		runSearch();
		layoutAndDraw();
		drawVerdictLegend();
		window.snapdiffTimes.build = performance.now() - started;
	}

	function runSearch() {
		const started = performance.now(), out = byId("matched");
		view.matched = null;
		out.textContent = "";
		if (!state.query)
			return;
		let expression;
		try {
			expression = new RegExp(state.query);
		} catch (error) {
			out.textContent = "not a regular expression";
			return;
		}
		const hit = data.stacks.frames.map((f) => expression.test(text(f, true)));
		const found = Flame.search(view, (node) => !view.collapsed[node] && hit[view.frame[node]]);
		out.textContent = `${(found.share * 100).toFixed(1)} % (${figure(found.weight)}) in ${count(found.nodes)} boxes`;
		window.snapdiffTimes.search = performance.now() - started;
	}

	function layoutAndDraw() {
		const started = performance.now(), canvas = byId("canvas");
		boxes = Flame.layout(view, zoom, Math.max(1, canvas.clientWidth), LEAST);
		drawn = new Map(boxes.map((box) => [box.node, box]));
		draw();
		window.snapdiffTimes.layout = performance.now() - started;
	}

	function draw() {
		const canvas = byId("canvas"), ratio = window.devicePixelRatio || 1;
		const levels = boxes.reduce((most, box) => Math.max(most, box.level + 1), 1);
		const width = canvas.clientWidth, height = Math.min(levels, 1600) * ROW;
		canvas.style.height = height + "px";
		canvas.width = width * ratio;
		canvas.height = height * ratio;
		const context = canvas.getContext("2d", {alpha: false});
		context.scale(ratio, ratio);
		context.fillStyle = getComputedStyle(document.body).backgroundColor;
		context.fillRect(0, 0, width, height);
		drawBoxes(context);
		drawBorders(context);
		drawNames(context);
		describe();
	}

	const wide = (box) => Math.max(box.width - (box.width > 3 ? 1 : 0), 0.5);

	/** Boxes of one colour are drawn as one path, because changing the colour costs most of the
	 * time. */
	function drawBoxes(context) {
		const byFill = new Map();
		for (const box of boxes) {
			const dim = view.matched && !view.matched[box.node];
			const key = (dim ? "-" : "+") + (box.paint = paintOf(box.node)).fill;
			if (!byFill.has(key))
				byFill.set(key, []);
			byFill.get(key).push(box);
		}
		for (const [key, list] of byFill) {
			context.globalAlpha = key[0] === "-" ? 0.35 : 1;
			context.fillStyle = key.slice(1);
			context.beginPath();
			for (const box of list)
				context.rect(box.x, box.level * ROW, wide(box), ROW - 1);
			context.fill();
		}
		context.globalAlpha = 1;
	}

	function outline(context, list, colour, width, dashes) {
		if (list.length === 0)
			return;
		context.strokeStyle = colour;
		context.lineWidth = width;
		context.setLineDash(dashes);
		context.beginPath();
		for (const box of list)
			context.rect(box.x + width / 2, box.level * ROW + width / 2, Math.max(wide(box) - width, 1), ROW - 1 - width);
		context.stroke();
		context.setLineDash([]);
	}

	function drawBorders(context) {
		const large = boxes.filter((box) => box.width > 3);
		if (data.mode !== "top") {
			outline(context, large.filter((box) => mark(box.node)[0] === "+"), "#1b1f24", 1, []);
			outline(context, large.filter((box) => mark(box.node)[0] === "−"), "#1b1f24", 1, [3, 2]);
		}
		if (view.matched)
			outline(context, boxes.filter((box) => view.matched[box.node]), "#6f42c1", 2, []);
		outline(context, drawn.has(current) ? [drawn.get(current)] : [], "#000", 2, []);
	}

	function drawNames(context) {
		context.font = "12px ui-monospace,monospace";
		context.textBaseline = "middle";
		for (const ink of ["#000000", "#ffffff"]) {
			context.fillStyle = ink;
			for (const box of boxes) {
				const room = Math.floor((box.width - 7) / 7.3);
				if (room < 3 || box.paint.ink !== ink)
					continue;
				const name = mark(box.node) + nameOf(box.node);
				context.fillText(name.length > room ? name.slice(0, room - 1) + "…" : name, box.x + 3, box.level * ROW + ROW / 2);
			}
		}
	}

	/** A description of the box at the keyboard's focus or under the pointer. */
	function describe() {
		const node = current, a = view.total[0][node], b = view.total[1][node], whole = view.weight[0];
		const frame = frameOf(node), s = data.stacks.strings, lines = [nameOf(node)];
		if (frame && !view.collapsed[node])
			lines[0] = text(frame, false) + (s[frame[1]] ? `  ${s[frame[1]]}${frame[2] ? ":" + frame[2] : ""}` : "") +
				(s[frame[3]] ? `  (${s[frame[3]]})` : "");
		lines.push(data.mode === "top" ? `${figure(b)}, ${(whole ? view.weight[node] / whole * 100 : 0).toFixed(1)} % of the whole`
			: `${figure(a)} -> ${figure(b)}, ${figure(b - a, true)}${a === 0 && b > 0 ? ", new" : b === 0 && a > 0 ? ", gone" : ""}`);
		if (data.stacks.slope && node > 0)
			lines[1] += `; grows by ${figure(view.slope[node])} ${data.stacks.per}` +
				(view.verdict[node] ? `; ${verdicts[view.verdict[node]]}` : "");
		byId("detail").textContent = lines.join("\n");
		byId("canvas").setAttribute("aria-label", "Call stacks. " + lines.join(", "));
	}

	function zoomTo(node) {
		zoom = node;
		current = node;
		layoutAndDraw();
	}

	function boxAt(event) {
		const area = byId("canvas").getBoundingClientRect();
		const x = event.clientX - area.left, level = Math.floor((event.clientY - area.top) / ROW);
		return boxes.find((box) => box.level === level && x >= box.x && x < box.x + box.width);
	}

	function sibling(node, by) {
		const parent = view.parent[node];
		const all = parent < 0 ? [] : Flame.childrenOf(view, parent).filter((n) => drawn.has(n));
		return all[all.indexOf(node) + by];
	}

	function onKey(event) {
		const children = Flame.childrenOf(view, current);
		const to = {ArrowUp: view.parent[current], ArrowDown: children[0], ArrowLeft: sibling(current, -1),
			    ArrowRight: sibling(current, 1)}[event.key];
		if (event.key === "Enter")
			zoomTo(current);
		else if (event.key === "Escape")
			zoomTo(0);
		else if (to === undefined || to < 0)
			return;
		else {
			current = to;
			if (!drawn.has(to))
				zoomTo(to);
			draw();
		}
		selectRow(rowOfNode(current), false);
		event.preventDefault();
	}

	/* ---- one selection ---- */

	const rowName = (row) => `${row.function || ""}\u0000${row.module ? row.module.split("/").pop() : ""}`;

	function rowOfNode(node) {
		const frame = frameOf(node), s = data.stacks.strings;
		if (!frame)
			return -1;
		const same = (row, line) => row.function === s[frame[0]] && (!line || row.line === frame[2]);
		const exact = data.rows.findIndex((row) => same(row, true));
		return exact >= 0 ? exact : data.rows.findIndex((row) => same(row, false));
	}

	/** The heaviest box of a row's function. */
	function nodeOfRow(row) {
		const s = data.stacks.strings;
		let best = 0;
		for (let node = 1; node < view.count; node++) {
			const frame = frameOf(node);
			if (!view.collapsed[node] && s[frame[0]] === row.function &&
			    (best === 0 || view.weight[node] > view.weight[best]))
				best = node;
		}
		return best;
	}

	function selectRow(index, moveFlame = true) {
		state.row = index;
		document.querySelectorAll("[data-row]").forEach((part) =>
			part.classList.toggle("selected", Number(part.dataset.row) === index));
		remember();
		showHolders(index);
		if (index < 0)
			return;
		if (moveFlame) {
			current = nodeOfRow(data.rows[index]);
			if (!boxes.some((box) => box.node === current && box.width > 40))
				zoom = Math.max(0, view.parent[current]);
			layoutAndDraw();
		}
		drawSiteChart(data.rows[index]);
	}

	/** Of the articles that say who holds a row, the selected row's, or the first. */
	function showHolders(index) {
		const articles = [...document.querySelectorAll(".held")];
		if (articles.length === 0)
			return;
		const wanted = index < 0 ? articles[0] : articles.find((article) => Number(article.dataset.of) === index);
		articles.forEach((article) => article.hidden = article !== wanted);
		byId("not-held").hidden = wanted !== undefined;
	}

	/* ---- address: what is shown can be linked to ---- */

	function remember() {
		const words = new URLSearchParams();
		for (const [key, value] of Object.entries({m: state.metric, q: state.query, row: state.row >= 0 ? state.row : "",
			inv: state.inverted ? 1 : "", show: state.show, line: state.byLine ? 1 : "",
			lib: state.collapse ? 1 : "", rec: state.fold ? "" : 0}))
			if (value !== "" && !(key === "m" && value === "live_bytes"))
				words.set(key, value);
		const place = location.hash.slice(1).split("?")[0];
		const hash = "#" + place + (words.toString() ? "?" + words : "");
		if (hash !== "#" && hash !== location.hash)
			history.replaceState(null, "", hash);
	}

	function recall() {
		const [place, query] = location.hash.slice(1).split("?"), words = new URLSearchParams(query || "");
		if (data.stacks.metrics.includes(words.get("m")))
			state.metric = words.get("m");
		state.query = words.get("q") || "";
		state.inverted = words.has("inv");
		state.show = shows().some(([name]) => name === words.get("show")) ? words.get("show") : "";
		state.byLine = words.has("line");
		state.collapse = words.has("lib");
		state.fold = !words.has("rec");
		state.row = words.has("row") ? Number(words.get("row")) : -1;
		if (place && byId(place))
			byId(place).scrollIntoView();
	}

	/* ---- tools above the flame graph ---- */

	function toggle(name, label) {
		const box = element("input", {type: "checkbox", onchange: () => {
			state[name] = box.checked;
			rebuild();
			remember();
		}});
		box.checked = state[name];
		return element("label", {}, box, label);
	}

	/** The figures that the width of boxes may mean. */
	const shows = () => [["", "what there is"], ["changed", "only what changed"],
		...(data.stacks.slope ? [["slope", "what grows, by slope"], ["verdict", "coloured by verdict"]] : [])];

	function choiceOf(name, label, choices) {
		const select = element("select", {"aria-label": label, id: "choose-" + name, onchange: () => {
			state[name] = select.value;
			rebuild();
			remember();
		}}, ...choices.map(([value, words]) => element("option", {value}, words)));
		select.value = state[name];
		return select;
	}

	function drawVerdictLegend() {
		const legend = byId("verdicts");
		if (!legend)
			return;
		legend.hidden = state.show !== "verdict";
		const seen = new Set(view.verdict);
		legend.replaceChildren(...verdicts.map((name, i) => ({name, i})).filter(({name, i}) => name && seen.has(i)).reverse()
			.map(({name, i}) => {
				const swatch = element("i");
				swatch.style.background = PAINTS.verdict[i].fill;
				return element("span", {}, swatch, name);
			}));
	}

	function makeTools() {
		const metric = choiceOf("metric", "figure", data.stacks.metrics.map((m) => [m, m.replace("_", " ")]));
		const search = element("input", {type: "search", id: "search", placeholder: "search (/), a regular expression",
			"aria-label": "search for functions", oninput: () => {
				state.query = search.value;
				runSearch();
				draw();
				remember();
			}});
		search.value = state.query;
		byId("tools").append(metric, search, element("span", {id: "matched", class: "soft", role: "status"}),
			toggle("inverted", "callees first"), toggle("byLine", "by line"), toggle("fold", "fold recursion"),
			toggle("collapse", "collapse libraries"),
			...(data.mode === "top" ? [] : [choiceOf("show", "what is shown", shows())]),
			element("button", {type: "button", onclick: () => zoomTo(0)}, "whole"));
	}

	function makeFlame() {
		const canvas = byId("canvas");
		makeTools();
		rebuild();
		canvas.addEventListener("click", (event) => {
			const box = boxAt(event);
			if (box) {
				zoomTo(box.node);
				selectRow(rowOfNode(box.node), false);
			}
		});
		canvas.addEventListener("mousemove", (event) => {
			const box = boxAt(event);
			if (box && box.node !== current) {
				current = box.node;
				draw();
			}
		});
		canvas.addEventListener("keydown", onKey);
		new ResizeObserver(layoutAndDraw).observe(canvas.parentElement);
	}

	/* ---- charts ---- */

	const PROCESS_LINES = {recorded: "recorded", rss: "resident", allocator_slack: "allocator slack",
		unseen: "seen by no hook", recorder: "the recorder's own"};

	/** Processes follow each other in the inputs; each has a part of them. */
	function partsOf(series) {
		let from = 0;
		return (series.processes || []).map((process) => {
			const inputs = series.inputs.slice(from, from += process.snapshots);
			return {process, axis: Charts.axisOf(inputs), marks: Charts.marksOf(inputs), bytes};
		});
	}

	/** The axis and marks for a row's series: its process', or numbers where several processes are summed up. */
	function chartOf(row) {
		const size = row.series.bytes.length;
		const part = data.parts.find(({process, axis}) => process.program === row.program && process.pid === row.pid &&
			axis.x.length === size);
		return part || {axis: Charts.axisOf(new Array(size).fill({})), marks: [], bytes};
	}

	function drawProcess() {
		/* The process is that which holds most.  The control group's memory is of another size: it would flatten the others. */
		const main = data.parts.reduce((best, part) => !best || part.process.last_bytes > best.process.last_bytes ? part : best,
			null);
		const lines = Object.entries(PROCESS_LINES).map(([key, name]) => [name, (data.series.process || {})[key]])
			.filter(([, values]) => Array.isArray(values) && values.some((v) => v !== null));
		if (!main || !byId("process"))
			return;
		Charts.draw(byId("process"), lines, main, {labelsDiv: byId("process-legend")});
		Charts.listMarks(byId("process-marks"), main.marks);
	}

	function drawSiteChart(row) {
		const place = byId("site-chart");
		if (!place || !row.series || !row.series.bytes)
			return;
		const chart = chartOf(row), [lines, options] = Charts.siteLines(row.series);
		byId("site-name").textContent = row.key;
		byId("site-words").textContent = row.series.cohorts
			? "Colours tell before which snapshot the blocks that live were allocated: the oldest are at the bottom." : "";
		Charts.draw(place, lines, chart, Object.assign({labelsDiv: byId("site-legend")}, options));
		Charts.listMarks(byId("site-marks"), chart.marks);
	}

	function drawCards() {
		document.querySelectorAll(".spark").forEach((place) => {
			const row = data.rows[Number(place.dataset.of)];
			if (row && row.series && row.series.bytes)
				Charts.small(place, Charts.siteLines(row.series)[0], chartOf(row), Charts.siteLines(row.series)[1]);
		});
	}

	/* ---- the table ---- */

	const table = {order: null, descending: true, filter: "", limit: 200};

	function cellText(column, value) {
		if (value === null || value === undefined)
			return "";
		if (column.kind === "bytes")
			return bytes(value, column.sign);
		return column.kind === "count" ? count(value, column.sign) : String(value);
	}

	function shownRows() {
		const words = table.filter.toLowerCase();
		const rows = data.rows.map((row, index) => ({row, index}))
			.filter(({row}) => !words || JSON.stringify([row.key, row.verdict, row.status]).toLowerCase().includes(words));
		if (table.order !== null) {
			const name = data.columns[table.order].name, way = table.descending ? -1 : 1;
			rows.sort((p, q) => {
				const a = p.row[name], b = q.row[name];
				return (a === null ? 1 : b === null ? -1 : a < b ? -way : a > b ? way : 0) || p.index - q.index;
			});
		}
		return rows;
	}

	function drawTable() {
		const rows = shownRows(), body = byId("rows");
		body.replaceChildren(...rows.slice(0, table.limit).map(({row, index}) => element("tr", {"data-row": index, tabindex: 0,
			class: index === state.row ? "selected" : null, onclick: () => selectRow(index),
			onkeydown: (event) => event.key === "Enter" && selectRow(index)},
		...data.columns.map((column) => element("td", {class: column.kind === "text" ?
			(column.name === "key" ? "site" : "verdict " + (row[column.name] || "")) : "n"}, cellText(column, row[column.name]))))));
		byId("row-count").textContent = `${count(Math.min(rows.length, table.limit))} of ${count(rows.length)} rows` +
			(data.left_out ? `; ${count(data.left_out)} more are not in this file` : "");
	}

	function exportCsv() {
		const quote = (value) => {
			const plain = value === null || value === undefined ? "" : String(value);
			const safe = /^[=+\-@\t]/.test(plain) && isNaN(Number(plain)) ? "'" + plain : plain;
			return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
		};
		const lines = [data.columns.map((c) => c.name).join(","),
			...shownRows().map(({row}) => data.columns.map((c) => quote(row[c.name])).join(","))];
		const link = element("a", {href: URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], {type: "text/csv"})),
			download: "snapdiff.csv"});
		link.click();
		URL.revokeObjectURL(link.href);
		return lines;
	}

	function makeTable() {
		const head = byId("head");
		head.replaceChildren(...data.columns.map((column, i) => element("th", {class: column.kind === "text" ? null : "n", scope: "col"},
			element("button", {type: "button", onclick: () => {
				table.descending = table.order === i ? !table.descending : column.kind !== "text";
				table.order = i;
				head.querySelectorAll("th").forEach((th, k) => k === i
					? th.setAttribute("aria-sort", table.descending ? "descending" : "ascending")
					: th.removeAttribute("aria-sort"));
				drawTable();
			}}, column.title))));
		const filter = element("input", {type: "search", placeholder: "filter", "aria-label": "filter rows", oninput: () => {
			table.filter = filter.value;
			drawTable();
		}});
		byId("table-tools").append(filter, element("button", {type: "button", onclick: exportCsv}, "CSV"),
			element("button", {type: "button", onclick: () => {
				table.limit = Infinity;
				drawTable();
			}}, "all rows"), element("span", {id: "row-count", class: "soft", role: "status"}));
		drawTable();
	}

	/* ---- what a series says of each stack ---- */

	/** The row that a stack counts towards: that of its newest frame of own code, as reports name it. */
	function rowOfLeaf(rows, node) {
		const s = data.stacks;
		let asked = node;
		for (let n = node; n >= 0; n = s.parents[n])
			if (s.frames[s.frame[n]][4]) {
				asked = n;
				break;
			}
		const [name, file, line] = s.frames[s.frame[asked]];
		return rows.get(`${s.strings[name]}\u0000${s.strings[file]}\u0000${line}`) || rows.get(s.strings[name]);
	}

	/** Slopes and verdicts of rows, shared out to their stacks by how much each grew. */
	function shareSlopes() {
		const s = data.stacks, rows = new Map(), [old, now] = s.values.live_bytes, of = [];
		for (const row of data.rows) {
			rows.set(`${row.function}\u0000${row.file || ""}\u0000${row.line || 0}`, row);
			if (row.function && !rows.has(row.function))
				rows.set(row.function, row);
		}
		const weight = new Map(), share = (leaf) => Math.abs(now[leaf] - old[leaf]) || 1e-9;
		for (let leaf = 0; leaf < s.leaf.length; leaf++) {
			of.push(rowOfLeaf(rows, s.leaf[leaf]));
			weight.set(of[leaf], (weight.get(of[leaf]) || 0) + share(leaf));
		}
		s.slope = Float64Array.from(of, (row, leaf) => row && row.growth_bytes ? row.growth_bytes * share(leaf) / weight.get(row) : 0);
		s.verdict = Uint8Array.from(of, (row) => row ? Math.max(0, verdicts.indexOf(row.verdict)) : 0);
		s.per = `per ${data.series.per || "snapshot"}`;
	}

	/* ---- beginning ---- */

	async function begin() {
		window.snapdiffTimes = {};
		data = await decode();
		for (const [name, colour] of data.verdicts) {
			verdicts.push(name);
			PAINTS.verdict.push(paint(colour));
		}
		data.parts = partsOf(data.series);
		data.stacks.parents = Flame.parentsOf(data.stacks.depth);
		if (data.mode === "growth")
			shareSlopes();
		document.querySelectorAll(".needs-js").forEach((part) => part.hidden = false);
		document.querySelectorAll(".plain-only").forEach((part) => part.hidden = true);
		recall();
		makeFlame();
		makeTable();
		drawProcess();
		drawCards();
		showHolders(-1);
		document.querySelectorAll(".card [data-row], .card[data-row]").forEach((part) =>
			part.addEventListener("click", (event) => {
				event.stopPropagation();
				selectRow(Number(part.dataset.row));
			}));
		if (state.row >= 0 && data.rows[state.row])
			selectRow(state.row);
		else if (data.rows.length && data.rows[0].series)
			drawSiteChart(data.rows[0]);
		document.addEventListener("keydown", (event) => {
			if (event.key === "/" && !/INPUT|SELECT/.test(document.activeElement.tagName)) {
				byId("search").focus();
				event.preventDefault();
			}
		});
		/* The canvas has the background of the current colour scheme; on paper that is the
		   light one. */
		for (const look of ["print", "(prefers-color-scheme: dark)"])
			matchMedia(look).addEventListener("change", draw);
		window.addEventListener("hashchange", () => {
			const row = state.row;
			recall();
			if (state.row >= 0 && state.row !== row)
				selectRow(state.row);
		});
		window.snapdiff = {state, table, data: () => data, view: () => view, boxes: () => boxes, zoomTo, rebuild, runSearch, paints: PAINTS,
			selectRow, shownRows, exportCsv, rowName};
		document.documentElement.dataset.ready = "true";
	}

	begin().catch((error) => {
		byId("problem").hidden = false;
		document.querySelectorAll(".needs-js").forEach((part) => part.hidden = true);
		byId("problem").textContent = "The interactive part of this page does not work here: " + error.message;
	});
})();
