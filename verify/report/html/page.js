
(() => {
	"use strict";
	// Filters for the long tables. Without this script all rows are there.
	const rowHeight = 70; // about
	const make = (name, properties, ...children) => {
		const e = Object.assign(document.createElement(name), properties);
		e.append(...children);
		return e;
	};
	for (const section of document.querySelectorAll("section[data-filter]")) {
		const tables = Array.from(section.querySelectorAll("table"));
		if (tables.length === 0) {
			continue;
		}
		const [table] = tables;
		const rows = tables.flatMap((t) => Array.from(t.tBodies[0].rows));
		if (rows.length < 10) {
			continue;
		}
		const noun = section.dataset.filter;
		const cell = (row, column) => row.cells[column].textContent;
		const form = make("form", { className: "filter" });
		form.setAttribute("role", "search");
		form.setAttribute("aria-label", "Filter the " + noun);
		const text = make("input", { type: "search", name: "text", autocomplete: "off", spellcheck: false });
		form.append(make("label", {}, "Text in a row", text));
		const selects = [];
		for (const head of table.tHead.rows[0].cells) {
			if (!head.dataset.f) {
				continue;
			}
			const column = head.cellIndex;
			const counts = new Map();
			for (const row of rows) {
				const value = cell(row, column);
				counts.set(value, (counts.get(value) || 0) + 1);
			}
			if (counts.size === 1) {
				continue;
			}
			const select = make("select", { name: head.dataset.f }, make("option", { value: "" }, "all"));
			for (const value of Array.from(counts.keys()).sort()) {
				select.append(make("option", { value: "=" + value }, value + " (" + counts.get(value) + ")"));
			}
			form.append(make("label", {}, head.textContent, select));
			selects.push([column, select]);
		}
		const output = make("output", {});
		form.append(make("button", { type: "reset" }, "Show all"), output);
		let texts = null;
		const apply = () => {
			const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
			const wanted = selects.filter(([, s]) => s.value).map(([column, s]) => [column, s.value.slice(1)]);
			if (words.length && !texts) {
				texts = rows.map((row) => row.textContent.toLowerCase());
			}
			let shown = 0;
			rows.forEach((row, i) => {
				const fits = wanted.every(([column, value]) => cell(row, column) === value) && words.every((word) => texts[i].includes(word));
				shown += fits;
				if (row.hidden === fits) {
					row.hidden = !fits;
				}
			});
			if (tables.length > 1) { // what is out of sight is as high as its rows are many
				for (const t of tables) {
					const n = Array.from(t.tBodies[0].rows).filter((row) => !row.hidden).length;
					t.parentElement.hidden = n === 0;
					t.parentElement.style.containIntrinsicBlockSize = n * rowHeight + "px";
				}
			}
			output.textContent = shown.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " " + noun;
		};
		let timer = 0;
		text.addEventListener("input", () => {
			clearTimeout(timer);
			timer = setTimeout(apply, 120);
		});
		form.addEventListener("change", apply);
		form.addEventListener("reset", () => setTimeout(apply));
		form.addEventListener("submit", (event) => event.preventDefault());
		section.querySelector(".x").before(form);
		apply();
	}
})();
