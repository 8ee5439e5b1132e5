// The site of docs: npm ci && npm run build. Pages are plain Markdown with relative links, so that they read well on a code host, too.
import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'

const docs = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const root = resolve(docs, '..')
const repository =
  readFileSync(join(root, 'pom.xml'), 'utf8').match(/<scm>[^]*?<url>(.*?)<\/url>/)?.[1] ?? 'https://github.com/millau/millau-java'

/** Links to files that are not in docs lead to the repository; those that lead nowhere fail the build. */
function linksOutside(md) {
  md.core.ruler.push('links-outside', (state) => {
    for (const token of state.tokens.flatMap((block) => block.children ?? [])) {
      const href = token.type === 'link_open' && token.attrGet('href')
      if (!href || /^([a-z]+:|#)/.test(href)) continue
      const [path, anchor] = href.split('#')
      const target = resolve(docs, dirname(state.env.relativePath), decodeURI(path))
      if (!existsSync(target)) throw new Error(`${state.env.relativePath}: dead link ${href}`)
      const outside = relative(root, target)
      if (relative(docs, target).startsWith('..')) {
        const kind = statSync(target).isDirectory() ? 'tree' : 'blob'
        token.attrSet('href', `${repository}/${kind}/main/${outside}${anchor ? '#' + anchor : ''}`)
      }
    }
  })
}

/** As code hosts make them, so that links to headings work on both. */
const slugify = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

/** The path that the site is under: / or, where a host gives it one, such as /millau-java/. */
const base = process.env.DOCS_BASE ?? '/'

const page = (text, link) => ({ text, link })

export default defineConfig({
  title: 'Millau for Java',
  description: 'An ingress proxy and load balancer for Docker Swarm and Compose, and a library for JVM applications',
  lang: 'en',
  base,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}favicon.svg` }]],
  rewrites: { 'README.md': 'index.md' },
  ignoreDeadLinks: false,
  markdown: {
    config: linksOutside,
    anchor: { slugify },
    languageAlias: { console: 'shellsession', haproxy: 'nginx' },
  },
  buildEnd({ outDir }) {
    // Where editors find it.
    copyFileSync(join(docs, 'labels.schema.json'), join(outDir, 'labels.schema.json'))
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: repository }],
    nav: [
      page('Start', '/start/compose'),
      page('How to', '/how-to/several-stacks'),
      page('Reference', '/reference/labels'),
      page('Troubleshooting', '/troubleshooting'),
    ],
    sidebar: [
      {
        text: 'Start',
        items: [
          page('Compose', '/start/compose'),
          page('Swarm', '/start/swarm'),
          page('Podman', '/start/podman'),
          page('Debian package', '/start/debian'),
          page('Embedding', '/start/embedding'),
          page('In tests', '/start/tests'),
        ],
      },
      {
        text: 'How to',
        items: [
          page('Several stacks', '/how-to/several-stacks'),
          page('Blue-green', '/how-to/blue-green'),
          page('Canary', '/how-to/canary'),
          page('Rolling updates', '/how-to/rolling-update'),
          page('Failover', '/how-to/failover'),
          page('Maintenance, error pages', '/how-to/maintenance'),
          page('Who may come in', '/how-to/access'),
          page('HTTPS', '/how-to/https'),
          page('Wildcard certificates', '/how-to/wildcards'),
          page('mTLS', '/how-to/mtls'),
          page('gRPC', '/how-to/grpc'),
          page('WebSocket', '/how-to/websocket'),
          page('Several proxies', '/how-to/several-proxies'),
          page('Behind a load balancer or CDN', '/how-to/behind-a-proxy'),
          page('IPv6', '/how-to/ipv6'),
          page('Upgrade the proxy', '/how-to/upgrade'),
          page('Fewer rights, socket proxy', '/how-to/fewer-rights'),
          page('Monitoring', '/how-to/monitoring'),
          page('Tracing', '/how-to/tracing'),
          page('Moving from another proxy', '/how-to/migrating'),
        ],
      },
      {
        text: 'Concepts',
        items: [
          page("A request's way", '/concepts/requests'),
          page('Failover', '/concepts/failover'),
          page('Health', '/concepts/health'),
          page('Discovery', '/concepts/discovery'),
          page('Architecture', '/architecture'),
        ],
      },
      {
        text: 'Reference',
        items: [
          page('Labels', '/reference/labels'),
          page('Environment', '/reference/environment'),
          page('Services file', '/reference/services-file'),
          page('Commands', '/reference/commands'),
          page('Metrics', '/reference/metrics'),
          page('Status page, JSON', '/reference/status'),
          page('Logs', '/reference/logs'),
          page('Limits', '/reference/limits'),
          page('Odd requests', '/reference/odd-requests'),
          page('Odd responses', '/reference/odd-responses'),
          page('Fault matrix', '/reference/fault-matrix'),
        ],
      },
      page('Limitations', '/limitations'),
      page('Troubleshooting', '/troubleshooting'),
      page('Release', '/release'),
    ],
  },
})
