#include "report/html_style.h"

/* In parts, since a compiler need not take a string of more than 4,095 bytes (C11, 5.2.4.1).
 *
 * The series' colours keep their distance on both grounds, also for people who see red and green alike; text
 * never has them. */
static const char colours[] =
    ":root { color-scheme: light dark;\n"
    "  --ground: #f6f6f3; --card: #fff; --edge: #e3e3de; --grid: #ecece7; --base: #b9bab5;\n"
    "  --ink: #17181a; --ink-2: #55585e; --ink-3: #75787f; --bad: #b3261e; --bad-ground: #fdeceb;\n"
    "  --series-0: #2a78d6; --series-1: #eb6834; --series-2: #1baf7a }\n"
    "@media (prefers-color-scheme: dark) { :root {\n"
    "  --ground: #131415; --card: #1c1d1f; --edge: #303235; --grid: #2a2c2f; --base: #55585e;\n"
    "  --ink: #f2f2ef; --ink-2: #b4b6ba; --ink-3: #8b8e94; --bad: #ff8a80; --bad-ground: #3a1a18;\n"
    "  --series-0: #3987e5; --series-1: #d95926; --series-2: #199e70 } }\n"
    ".series-0 { --series: var(--series-0) }\n"
    ".series-1 { --series: var(--series-1) }\n"
    ".series-2 { --series: var(--series-2) }\n";

static const char text[] =
    "* { box-sizing: border-box }\n"
    "body { margin: 0; background: var(--ground); color: var(--ink); -webkit-text-size-adjust: 100%;\n"
    "  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif }\n"
    "main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px }\n"
    "h1, h2, h3, p, dl, dd, pre, figure { margin: 0 }\n"
    "h1 { font-size: 38px; line-height: 1.15; font-weight: 650; letter-spacing: -.02em;\n"
    "  overflow-wrap: anywhere }\n"
    "h1 span { font-weight: 400; color: var(--ink-2) }\n"
    "h2 { font-size: 19px; font-weight: 650; letter-spacing: -.01em; margin: 44px 0 14px }\n"
    "h3 { font-size: 16px; font-weight: 600; color: var(--ink) }\n"
    "code { font: 13.5px/1.55 ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace }\n"
    "h2:has(+ h2), h2:has(+ .plots:empty) { display: none }\n"
    ".tool { color: var(--ink-3); font-size: 14px; letter-spacing: .02em }\n"
    ".url { margin-top: 8px; overflow-wrap: anywhere }\n"
    ".conditions { color: var(--ink-2); font-size: 15px }\n"
    ".fault { margin-top: 24px; padding: 14px 18px; border: 1px solid var(--bad); border-radius: 12px;\n"
    "  background: var(--bad-ground); overflow-wrap: anywhere }\n"
    ".fault strong { color: var(--bad) }\n";

static const char boxes[] =
    ".card, .box, figure { background: var(--card); border: 1px solid var(--edge); border-radius: 12px }\n"
    ".box { overflow-x: auto; margin-bottom: 12px }\n"
    "pre.box { padding: 14px 16px; white-space: pre-wrap; overflow-wrap: anywhere }\n"
    ".cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(164px, 1fr));\n"
    "  gap: 12px; margin-top: 28px }\n"
    ".card { padding: 13px 14px }\n"
    ".card dt { color: var(--ink-2); font-size: 13.5px; line-height: 1.35 }\n"
    ".card .note { color: var(--ink-3); font-size: 12.5px }\n"
    ".value { font-size: 28px; line-height: 1.25; font-weight: 600; letter-spacing: -.015em;\n"
    "  white-space: nowrap }\n"
    ".value small { font-size: 16px; font-weight: 500; letter-spacing: 0; color: var(--ink-2) }\n"
    ".settings { display: grid; grid-template-columns: repeat(auto-fill, minmax(118px, 1fr));\n"
    "  gap: 14px 24px; padding: 16px }\n"
    ".settings dt { color: var(--ink-3); font-size: 13px }\n"
    ".settings dd { overflow-wrap: anywhere }\n";

static const char tables[] =
    "table { border-collapse: collapse; width: 100%; font-size: 15px;\n"
    "  font-variant-numeric: tabular-nums }\n"
    "th, td { padding: 8px 16px; text-align: left; font-weight: 400; border-top: 1px solid var(--grid) }\n"
    "thead th { color: var(--ink-3); font-size: 13px }\n"
    "th.group { padding-top: 18px; font-weight: 600; border-top-color: var(--edge) }\n"
    "table > :first-child > :first-child > * { border-top: 0; padding-top: 12px }\n"
    "td.number, th.number { text-align: right; white-space: nowrap }\n"
    "td.note { color: var(--ink-2); width: 50% }\n";

static const char plots[] =
    ".plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr));\n"
    "  gap: 12px }\n"
    "figure { padding: 14px 16px 8px }\n"
    "figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 8px;\n"
    "  margin-bottom: 6px; font-size: 14px; color: var(--ink-2) }\n"
    ".unit { color: var(--ink-3); margin-right: auto }\n"
    ".legend { display: flex; gap: 14px }\n"
    ".key::before { content: ''; display: inline-block; vertical-align: middle; margin-right: 6px;\n"
    "  width: 14px; height: 3px; border-radius: 2px; background: var(--series) }\n"
    "svg { display: block; width: 100%; height: auto; overflow: visible }\n"
    "svg text { font-size: 12px; fill: var(--ink-3); font-variant-numeric: tabular-nums }\n"
    "text.x { text-anchor: middle }\n"
    "text.y { text-anchor: end }\n"
    ".grid path { stroke: var(--grid); fill: none }\n"
    ".grid .base { stroke: var(--base) }\n"
    ".line { stroke: var(--series); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round;\n"
    "  fill: none }\n"
    ".dot { stroke-width: 7 }\n"
    ".area { fill: var(--series); opacity: .12 }\n"
    ".hit { fill: transparent }\n"
    ".hit:hover { fill: var(--series) }\n";

/* On a phone a plot shrinks, so its letters have to grow. */
static const char occasions[] = "@media (max-width: 640px) {\n"
                                "  main { padding: 24px 14px 40px }\n"
                                "  h1 { font-size: 31px }\n"
                                "  .cards { grid-template-columns: repeat(2, minmax(0, 1fr)) }\n"
                                "  .value { font-size: 24px }\n"
                                "  th, td { padding: 8px 12px }\n"
                                "  td.note { width: auto }\n"
                                "  figure { padding: 12px 10px 6px }\n"
                                "  svg text { font-size: 15px }\n"
                                "}\n"
                                "@media print { .card, figure, tr { break-inside: avoid } }\n";

void html_style_write(FILE *out)
{
    fputs(colours, out);
    fputs(text, out);
    fputs(boxes, out);
    fputs(tables, out);
    fputs(plots, out);
    fputs(occasions, out);
}
