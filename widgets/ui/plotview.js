// The only JavaScript of the workbook: draws a plotly figure, with its sentence, its table
// and its downloads, in any notebook front end. plotly.js comes from the kernel, once a page.

const LIBRARY = Symbol.for("crlm-workbook.plotly");
const PATIENCE = 60_000;

function askKernel(model) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(reject, new Error(model.get("words").no_kernel)), PATIENCE);
    const finish = (settle, value) => {
      clearTimeout(timer);
      model.off("msg:custom", receive);
      settle(value);
    };
    const receive = (message, buffers) => {
      if (message.kind === "plotly.js") finish(resolve, buffers[0]);
      if (message.kind === "failed") finish(reject, new Error(message.reason));
    };
    model.on("msg:custom", receive);
    model.send({ kind: "plotly.js" });
  });
}

async function load(model) {
  const packed = await askKernel(model);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const source = await new Response(stream).text();
  // Wrapped as a module, so that neither RequireJS nor another plotly on the page is disturbed.
  const wrapped = `const module = { exports: {} }, exports = module.exports;
    const before = globalThis.Plotly;
    (function (define) {${source}\n}).call(globalThis);
    const own = module.exports;
    if (before) globalThis.Plotly = before; else delete globalThis.Plotly;
    export default own;`;
  const url = URL.createObjectURL(new Blob([wrapped], { type: "text/javascript" }));
  try {
    return (await import(url)).default;
  } finally {
    URL.revokeObjectURL(url);
  }
}

function plotly(model) {
  globalThis[LIBRARY] ??= load(model).catch((error) => {
    globalThis[LIBRARY] = undefined; // a later chart, or a restarted kernel, may succeed
    throw error;
  });
  return globalThis[LIBRARY];
}

function isDark() {
  const { jpThemeLight } = document.body.dataset;
  if (jpThemeLight) return jpThemeLight === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function recoloured(value, swap) {
  if (typeof value === "string") return swap[value] ?? value;
  if (Array.isArray(value)) return value.map((item) => recoloured(item, swap));
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, recoloured(item, swap)]));
  return value;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function save(content, type, name) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// What a reader takes away is on white, with its sources underneath.
function forPaper(model) {
  const { data, layout } = structuredClone(model.get("figure"));
  layout.paper_bgcolor = layout.plot_bgcolor = "#ffffff";
  const lines = model.get("credit").split("\n");
  const room = 18 * lines.length + 12;
  layout.margin = { ...layout.margin, b: (layout.margin?.b ?? 60) + room };
  layout.height = (layout.height ?? 430) + room;
  layout.annotations = [
    ...(layout.annotations ?? []),
    {
      text: lines.join("<br>"), showarrow: false, align: "left", font: { size: 10 },
      xref: "paper", yref: "container", x: 0, xanchor: "left", y: 0.01, yanchor: "bottom",
    },
  ];
  return { data, layout };
}

function point({ curveNumber, pointNumber, x, y, customdata }) {
  return { curve: curveNumber, point: pointNumber, x, y, customdata: customdata ?? null };
}

function render({ model, el }) {
  const words = model.get("words");
  const chart = make("div", { class: "crlm-chart" });
  const notice = make("p", { class: "crlm-notice", role: "alert", hidden: "" });
  const sentence = make("p", { class: "crlm-sentence", role: "status" });
  const tools = make("div", { class: "crlm-tools", role: "group", "aria-label": words.downloads });
  const table = make("div", { class: "crlm-table", tabindex: "0", role: "region", "aria-label": words.table });
  const details = make("details", {}, make("summary", {}, words.show_table), table);
  const figure = make("div", { class: "crlm-figure", role: "figure" }, chart, notice, sentence, details, tools);
  el.append(figure);

  let Plotly = null;
  let wired = false;
  let closed = false;
  let turn = 0;

  function complain(error) {
    notice.textContent = `${words.failed} ${error.message}`;
    notice.hidden = false;
  }

  function report(kind, content) {
    model.set("event", { kind, ...content, number: (model.get("event").number ?? 0) + 1 });
    model.save_changes();
  }

  function wire() {
    chart.on("plotly_click", ({ points }) => report("click", { points: points.map(point) }));
    chart.on("plotly_selected", (selected) => report("select", { points: (selected?.points ?? []).map(point) }));
    chart.on("plotly_relayout", (change) => {
      const ranges = Object.fromEntries(Object.entries(change).filter(([key]) => /axis|dragmode/.test(key)));
      if (Object.keys(ranges).length) report("relayout", { change: ranges });
    });
    wired = true;
  }

  async function draw() {
    const mine = ++turn;
    if (!model.get("figure").data) return; // words alone, such as a trial's record
    try {
      Plotly = await plotly(model);
      if (closed || mine !== turn) return; // a newer figure is on its way
      const { data, layout } = recoloured(model.get("figure"), isDark() ? model.get("swap") : {});
      await Plotly.react(chart, data, layout, { responsive: false, displayModeBar: false, doubleClick: false });
      if (!wired) wire();
      notice.hidden = true;
      chart.dataset.drawn = String(Number(chart.dataset.drawn ?? 0) + 1);
    } catch (error) {
      complain(error);
    }
  }

  function describe() {
    figure.setAttribute("aria-label", model.get("label"));
    sentence.textContent = model.get("label");
    table.innerHTML = model.get("table"); // made by widgets.ui.html, which escapes
    sentence.hidden = !model.get("label");
    details.hidden = !model.get("table");
  }

  async function download(format) {
    try {
      const name = model.get("name");
      if (format === "csv") return save("\ufeff" + model.get("csv"), "text/csv", `${name}.csv`);
      Plotly = await plotly(model);
      const paper = forPaper(model);
      const size = { width: Math.max(chart.clientWidth, 640), height: paper.layout.height };
      await Plotly.downloadImage(paper, { format, filename: name, scale: format === "png" ? 2 : 1, ...size });
    } catch (error) {
      complain(error);
    }
  }

  const drawn = Boolean(model.get("figure").data);
  chart.hidden = !drawn;
  details.open = !drawn;
  for (const format of drawn ? ["csv", "svg", "png"] : ["csv"]) {
    const button = make("button", { type: "button" }, words[format]);
    button.addEventListener("click", () => download(format));
    tools.append(button);
  }

  const resized = new ResizeObserver(() => {
    if (wired && chart.clientWidth) Plotly.Plots.resize(chart);
  });
  resized.observe(chart);
  const themed = new MutationObserver(draw);
  themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", draw);
  model.on("change:figure", draw);
  model.on("change:label change:table", describe);
  describe();
  draw();

  return () => {
    closed = true;
    resized.disconnect();
    themed.disconnect();
    scheme.removeEventListener("change", draw);
    model.off("change:figure", draw);
    model.off("change:label change:table", describe);
    if (wired) Plotly.purge(chart);
  };
}

export default { render };
