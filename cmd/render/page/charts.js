/*
 * charts.js - series over time: their axis, their marks, and how dygraphs draws them.
 *
 * Words from files become text nodes; what dygraphs gets as names is our own.
 */
"use strict";

const Charts = (() => {
	const COLOURS = ["#d95f02", "#2b6cb0", "#5b8c3e", "#8250a8", "#8a8f98"];
	/* From the oldest to the youngest; they also differ in lightness alone. */
	const AGES = ["#31146b", "#5c1f86", "#8c2f82", "#bb4270", "#e25d57", "#f48849", "#fbb55a", "#fae08a"];
	/* Has a contrast of 3 to 1 to white and to the dark background.  The colours of some ages
	   do not, so their edges have this colour. */
	const EDGE = "#888";
	const MOST_MARKS = 12;
	const UNITS = [["milliseconds", 0.001, 2], ["seconds", 1, 180], ["minutes", 60, 3 * 3600], ["hours", 3600, 72 * 3600],
		["days", 86400, Infinity]];

	/** When snapshots were taken, since the first; their numbers where times are unknown or do not rise. */
	function axisOf(inputs) {
		const times = inputs.map((input) => input.time ? Date.parse(input.time) / 1000 : NaN);
		const rise = times.length > 1 && times.every((t, i) => i === 0 ? t === t : t > times[i - 1]);
		if (!rise)
			return {x: inputs.map((_, i) => i + 1), unit: "snapshot"};
		const span = times[times.length - 1] - times[0];
		const [unit, size] = UNITS.find((u) => span < u[2]);
		return {x: times.map((t) => (t - times[0]) / size), unit};
	}

	/** The most frequent value. */
	function usual(values) {
		const seen = new Map();
		for (const value of values)
			seen.set(value, (seen.get(value) || 0) + 1);
		return [...seen].sort((a, b) => b[1] - a[1])[0]?.[0];
	}

	/** Keys of labels that are no counters: counters change at every other snapshot. */
	function tellingKeys(inputs) {
		const keys = [...new Set(inputs.flatMap((input) => Object.keys(input.labels || {})))];
		return keys.filter((key) => {
			const changes = inputs.filter((input, i) => i > 0 && input.labels?.[key] !== inputs[i - 1].labels?.[key]);
			return 2 * changes.length < inputs.length;
		});
	}

	/** What happened at which snapshot: [{at, words}], names, labels that change, and unusual triggers. */
	function marksOf(inputs) {
		const keys = tellingKeys(inputs), normal = usual(inputs.map((input) => input.trigger));
		return inputs.flatMap((input, at) => {
			const words = [];
			if (input.label)
				words.push(input.label);
			for (const key of keys)
				if (input.labels?.[key] !== undefined && input.labels[key] !== (at ? inputs[at - 1].labels?.[key] : undefined))
					words.push(`${key} = ${input.labels[key]}`);
			if (input.trigger && input.trigger !== normal)
				words.push(`taken by ${input.trigger}`);
			return words.length ? [{at, words: words.join(", ")}] : [];
		});
	}

	const dark = () => matchMedia("screen and (prefers-color-scheme: dark)").matches;
	const tick = (chart, value) => chart.bytes(value).replace(".0 ", " ");
	const short = (number) => String(Number(number.toPrecision(4)));

	function drawMarks(context, area, graph, axis, marks) {
		context.save();
		context.strokeStyle = context.fillStyle = dark() ? "#9da7b3" : "#57606a";
		context.font = "11px system-ui,sans-serif";
		context.setLineDash([3, 3]);
		marks.slice(0, MOST_MARKS).forEach((mark, i) => {
			const x = Math.round(graph.toDomXCoord(axis.x[mark.at])) + 0.5;
			if (x < area.x || x > area.x + area.w)
				return;
			context.beginPath();
			context.moveTo(x, area.y + 12);
			context.lineTo(x, area.y + area.h);
			context.stroke();
			context.fillText(String(i + 1), Math.min(x + 2, area.x + area.w - 12), area.y + 10);
		});
		context.restore();
	}

	/** The marks as a list below the chart. */
	function listMarks(list, marks) {
		list.replaceChildren(...marks.slice(0, MOST_MARKS).map((mark) => {
			const item = document.createElement("li");
			const words = mark.words.length > 200 ? mark.words.slice(0, 199) + "…" : mark.words;
			item.textContent = `snapshot ${mark.at + 1}: ${words}`;
			return item;
		}));
		if (marks.length > MOST_MARKS) {
			const item = document.createElement("li");
			item.textContent = `and ${marks.length - MOST_MARKS} more, which are not drawn`;
			list.append(item);
		}
	}

	/** The meaning of the colours and, at the pointer, the values. */
	function key(legend) {
		const all = document.createDocumentFragment();
		if (legend.xHTML !== undefined)
			all.append(legend.xHTML);
		for (const line of legend.series) {
			const entry = document.createElement("span"), swatch = document.createElement("i");
			swatch.style.background = line.color;
			entry.append(swatch, line.label + (line.yHTML === undefined ? "" : ": " + line.yHTML));
			all.append(entry);
		}
		return all;
	}

	/** A description for people who cannot see the chart: its lines, and where they begin and
	 * end. */
	function name(place, lines, chart) {
		const told = lines.map(([line, values]) => {
			const known = values.filter((value) => value !== null && value !== undefined);
			return known.length ? `${line} from ${chart.bytes(known[0])} to ${chart.bytes(known[known.length - 1])}` : line;
		});
		place.setAttribute("role", "img");
		place.setAttribute("aria-label", `Over ${chart.axis.unit}: ${told.join(", ")}`);
	}

	/** Lines, each [name, values]. `chart` has axis, bytes (a function), and marks; `more` goes to dygraphs. */
	function draw(place, lines, chart, more) {
		const rows = chart.axis.x.map((x, i) => [x, ...lines.map(([, values]) => values[i] ?? null)]);
		if (!place || rows.length < 2 || lines.length === 0 || typeof Dygraph === "undefined")
			return null;
		name(place, lines, chart);
		return new Dygraph(place, rows, Object.assign({
			labels: [chart.axis.unit, ...lines.map(([name]) => name)], legend: "always", legendFormatter: key, animatedZooms: false,
			strokeWidth: 2, axisLineColor: EDGE, gridLineColor: dark() ? "#333" : "#ddd", xlabel: chart.axis.unit,
			connectSeparatedPoints: true, includeZero: true, drawPoints: rows.length < 60, colors: COLOURS,
			underlayCallback: (context, area, graph) => drawMarks(context, area, graph, chart.axis, chart.marks || []),
			axes: {
				x: {axisLabelFormatter: short, valueFormatter: (x) => `${short(x)} ${chart.axis.unit}`},
				y: {labelsKMG2: true, axisLabelWidth: 72, axisLabelFormatter: (v) => tick(chart, v),
					valueFormatter: (v) => chart.bytes(v)},
			},
		}, more));
	}

	/** A small picture without axes' names, that does not react. */
	function small(place, lines, chart, more) {
		return draw(place, lines, chart, Object.assign({legend: "never", xlabel: "", interactionModel: {}, drawGrid: false,
			highlightCircleSize: 0, axes: {x: {drawAxis: false}, y: {labelsKMG2: true, axisLabelWidth: 72, pixelsPerLabel: 24,
				axisLabelFormatter: (v) => tick(chart, v)}}}, more));
	}

	const bandName = (band) => band.first === band.last ? `before ${band.first}` : `before ${band.first} to ${band.last}`;

	/** The lines of a row: its cohorts stacked, the oldest at the bottom, or its bytes; with options for draw(). */
	function siteLines(series) {
		const bands = series.cohorts;
		if (!bands)
			return [[["bytes", series.bytes]], {fillGraph: true}];
		/* dygraphs puts the last one at the bottom. */
		const used = bands.map((band, i) => ({band, colour: AGES[Math.floor(i * AGES.length / bands.length)]}))
			.filter(({band}) => band.bytes.some((b) => b > 0)).reverse();
		return [used.map(({band}) => [bandName(band), band.bytes]),
			{stackedGraph: true, fillAlpha: 0.8, colors: used.map(({colour}) => colour), drawPoints: false, strokeWidth: 1,
				strokeBorderWidth: 1, strokeBorderColor: EDGE}];
	}

	return {axisOf, marksOf, listMarks, draw, small, siteLines};
})();

if (typeof module !== "undefined")
	module.exports = Charts;
