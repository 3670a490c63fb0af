"use strict";
(async () => {
  const unpack = async (id) => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  const plots = [...document.querySelectorAll(".plot")];
  const say = (text) => plots.forEach((div) => { div.textContent = text; div.style.height = "auto"; });
  if (!("DecompressionStream" in window)) {
    say("This browser is too old to unpack the pictures; the tables are complete.");
    return;
  }
  const figures = JSON.parse(await unpack("payload-figures"));
  const library = document.createElement("script");
  library.textContent = await unpack("payload-library");
  document.head.append(library);

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 760px)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Layout keys that depend on the theme, as dotted paths: usable for the first plot and for a later relayout.
  const theme = (layout) => {
    const found = {
      "font.color": colour("--ink"), "font.family": "system-ui, -apple-system, Segoe UI, sans-serif", "font.size": narrow.matches ? 11 : 12,
      "paper_bgcolor": "rgba(0,0,0,0)", "hoverlabel.bgcolor": colour("--card"), "hoverlabel.font.color": colour("--ink"),
      "hoverlabel.bordercolor": colour("--rule"), "modebar.bgcolor": "rgba(0,0,0,0)",
    };
    if (!layout.meta?.keepBackground) found["plot_bgcolor"] = "rgba(0,0,0,0)";
    const axes = new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))]);
    for (const axis of axes) {
      found[`${axis}.gridcolor`] = colour("--grid");
      found[`${axis}.zerolinecolor`] = colour("--soft");
      found[`${axis}.linecolor`] = colour("--rule");
      found[`${axis}.exponentformat`] = "none";
      found[`${axis}.separatethousands`] = true;
      found[`${axis}.automargin`] = true;
      found[`${axis}.title.standoff`] = 10;
    }
    return found;
  };
  const put = (target, path, value) => {
    const keys = path.split(".");
    const last = keys.pop();
    keys.reduce((at, key) => (at[key] ??= {}), target)[last] = value;
  };
  const config = {
    responsive: true, displaylogo: false, showTips: false, displayModeBar: narrow.matches ? false : "hover",
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  };

  // On a phone: no colour bar, no labels that would lie on each other, fewer time ticks; the tables hold the figures.
  const squeeze = (data, layout) => {
    Object.assign(layout.margin, { l: 8, r: 4 });
    for (const [key, axis] of Object.entries(layout)) if (/^xaxis/.test(key) && axis.type === "date") Object.assign(axis, { tickangle: 0, nticks: 4 });
    for (const trace of data) {
      if (trace.type === "heatmap") trace.showscale = false;
      if (trace.type === "waterfall") trace.textposition = "none";
    }
    layout.annotations = [];
    for (const axis of Object.values(layout)) if (axis?.ticktext || axis?.type === "category") put(axis, "tickfont.size", 10);
  };

  for (const div of plots) {
    const { data, layout } = figures[div.dataset.figure];
    for (const [path, value] of Object.entries(theme(layout))) put(layout, path, value);
    if (matchMedia("(pointer: coarse)").matches || narrow.matches) layout.dragmode = false;
    if (narrow.matches) squeeze(data, layout);
    await Plotly.newPlot(div, data, layout, config);
  }
  dark.addEventListener("change", () => plots.forEach((div) => Plotly.relayout(div, theme(div.layout))));
  document.body.dataset.ready = "true";
})().catch((error) => {
  document.body.dataset.failed = String(error);
  throw error;
});
