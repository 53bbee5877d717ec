import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type MarkdownRenderer } from 'vitepress';
import llmstxt from 'vitepress-plugin-llms';

const DOCS = resolve(fileURLToPath(import.meta.url), '../..');

/** The switch that the page of the simulator draws. */
const ICON = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><g fill='none' stroke='#2c7a63' stroke-width='3' stroke-linecap='round'><path d='M2 20h6M24 20h6M8 20 22 10'/></g></svg>`;

const SIDEBAR = [
  {
    text: 'Start',
    items: [
      { text: 'What a circuit breaker does', link: '/guide/what-it-does' },
      { text: 'Python', link: '/guide/start-python' },
      { text: 'Node', link: '/guide/start-node' },
      { text: 'Browser', link: '/guide/start-browser' },
      { text: 'Rust', link: '/guide/start-rust' },
    ],
  },
  {
    text: 'Guide',
    items: [
      { text: 'Choosing thresholds', link: '/guide/thresholds' },
      { text: 'Half-open done right', link: '/guide/half-open' },
      { text: 'Streams and AI providers', link: '/guide/streams' },
      { text: 'What counts as a failure', link: '/classification' },
      { text: 'HTTP clients and SDKs', link: '/http-clients' },
      { text: 'Retries', link: '/retries' },
      { text: 'FastAPI', link: '/fastapi' },
      { text: 'Metrics, telemetry and the log', link: '/metrics' },
      { text: 'Commands', link: '/commands' },
      { text: 'Testing with a manual clock', link: '/guide/testing' },
      { text: 'Simulation and replay', link: '/simulation' },
    ],
  },
  {
    text: 'Coming from',
    items: [
      { text: 'Your own module', link: '/migrating' },
      { text: 'pybreaker', link: '/guide/from-pybreaker' },
      { text: 'circuitbreaker', link: '/guide/from-circuitbreaker' },
      { text: 'opossum', link: '/guide/from-opossum' },
      { text: 'cockatiel', link: '/guide/from-cockatiel' },
      { text: 'resilience4j', link: '/guide/from-resilience4j' },
    ],
  },
  {
    text: 'Reference',
    items: [
      { text: 'Semantics', link: '/semantics' },
      { text: 'Choosing among providers', link: '/orchestration' },
      { text: 'How a pool chooses', link: '/pool' },
      { text: 'Vectors', link: '/vectors' },
      { text: 'All public names', link: '/interface' },
      { text: 'API of each language', link: '/guide/api' },
      { text: 'Benchmarks', link: '/benchmarks' },
      { text: 'Known bugs of other breakers', link: '/known-bugs' },
    ],
  },
];

export default defineConfig({
  title: 'halfopen',
  description:
    'The circuit breaker that a whole company can share: one proven core for Python, Node, the browser and Rust.',
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  outDir: '../target/docs',
  cacheDir: '../target/vitepress',
  srcExclude: ['demo/**', 'simulator/**'],
  // The folder in which a host serves the site, if it is not the root.
  base: process.env['DOCS_BASE'] ?? '/',
  cleanUrls: false,
  metaChunk: true,
  // `make docs` puts the references of the APIs beside the pages, and then checks every link of the site.
  ignoreDeadLinks: [/^\/(api|simulator)\//],
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/guide/what-it-does' },
      { text: 'Simulator', link: '/simulator/', target: '_self' },
      { text: 'Semantics', link: '/semantics' },
      { text: 'API', link: '/guide/api' },
    ],
    sidebar: SIDEBAR,
    outline: [2, 3],
    search: { provider: 'local' },
    // The visible text is the accessible name.
    notFound: { linkLabel: 'Take me home' },
  },
  markdown: {
    config: adapt,
    theme: { light: 'min-light', dark: 'min-dark' },
    codeTransformers: [{ name: 'readable', postprocess: readable }],
  },
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag === 'halfopen-sim' } } },
  vite: { plugins: [llmstxt({ ignoreFiles: ['demo/**', 'simulator/**'] })] },
});

/** Darkens comments and parameters, whose contrast is too low in the themes of the code. */
function readable(html: string): string {
  return html
    .replaceAll('--shiki-light:#C2C3C5;--shiki-dark:#6B737C', '--shiki-light:var(--soft);--shiki-dark:var(--soft)')
    .replaceAll('--shiki-light:#FF9800', '--shiki-light:var(--half_open)');
}

function adapt(markdown: MarkdownRenderer): void {
  unlinkSources(markdown);
  plainCorners(markdown);
}

/** Turns an empty header cell, as in the corner of a table, into an ordinary cell: an empty header is an error for axe. */
function plainCorners(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('plain-corners', ({ tokens }) => {
    tokens.forEach((token, at) => {
      if (token.type === 'th_open' && tokens[at + 1]?.content === '') {
        for (const end of [token, tokens[at + 2]]) {
          if (end !== undefined) {
            end.tag = 'td';
          }
        }
      }
    });
  });
}

/** Turns links to files of the tree into plain text, unless the file is a page of this site. */
function unlinkSources(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('unlink-sources', ({ tokens, env }) => {
    // Links do not nest, so each opening token is followed by its closing one.
    const links = tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type.startsWith('link_'));
    links.forEach((token, at) => {
      if (token.nesting === 1 && leavesTheSite(token.attrGet('href') ?? '', env.path)) {
        for (const end of links.slice(at, at + 2)) {
          end.tag = 'span';
          end.attrs = null;
        }
      }
    });
  });
}

function leavesTheSite(href: string, page: string): boolean {
  if (/^[a-z]+:|^[#/]/.test(href)) {
    return false;
  }
  const target = resolve(dirname(page), href.replace(/#.*/, ''));
  return !target.startsWith(`${DOCS}/`) || (existsSync(target) && !target.endsWith('.md'));
}
