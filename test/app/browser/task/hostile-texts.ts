/** What a model, a repository or a passer-by may put before somebody's eyes. */

export const HOSTILE_PROMPT = 'أصلح الاختبار \u{1F6A8}<img src=x onerror="window.hostile=1"> ‏في المستودع'

export const HOSTILE_MARKDOWN = `<img src="https://tracker.example.org/a.png" onerror="window.hostile=1"><script>window.hostile=1</script>

<iframe src="https://tracker.example.org"></iframe> <svg onload="window.hostile=1"></svg> <form action="https://tracker.example.org"><button>go</button></form>

![a picture](https://tracker.example.org/b.png) ![](data:image/png;base64,AAAA)

[javascript link](javascript:window.hostile=1) [tabbed](java\tscript:window.hostile=1) [data](data:text/html,<script>window.hostile=1</script>)
[vb](vbscript:x) [blob](blob:https://x/1) [file](file:///etc/passwd) [intent](intent://x#Intent;end) [a plain link](https://example.org/ok)

<javascript:window.hostile=1> <https://example.org/auto>

${'x'.repeat(10_000)}

## الخلاصة في main.ts

أصلحت \`cod\u202Egnp.ts\` و &#x202E;txt.lol و ![\u202Ea picture](b.png)

In English again: مرحبا

| ${Array.from({ length: 40 }, (_, index) => `column ${index}`).join(' | ')} |
| ${'--- | '.repeat(40)}
${Array.from({ length: 60 }, () => `| ${'a cell | '.repeat(40)}`).join('\n')}

\`\`\`
${'long '.repeat(2_000)}
\`\`\`

${'> '.repeat(60)}deep

${'- '.repeat(40)}deeper
`

export const HOSTILE_COMMAND = `rm \u202Egpj.seot\u202C <b>bold</b> ${'--flag '.repeat(400)}`

const ESCAPE = '\u001b'
export const HOSTILE_OUTPUT = [
  `${ESCAPE}[31mred${ESCAPE}[0m ${ESCAPE}[2J${ESCAPE}[H${ESCAPE}]0;title\u0007 ${ESCAPE}]8;;javascript:window.hostile=1${ESCAPE}\\link${ESCAPE}]8;;${ESCAPE}\\`,
  'nul \0 bell \u0007 back \b\b\b form \f vertical \v delete \u007f c1 \u009b31m',
  '\u202Etxt.lol \u2066isolated\u2069 \u200fright',
  `invalid \uFFFD\uFFFD bytes, a lone half \uD83D, zalgo ${'z\u0335\u0321\u034f'.repeat(50)}`,
  'progress 1%\rprogress 50%\rprogress 100%',
  '<script>window.hostile=1</script><img src=x onerror="window.hostile=1">',
  'y'.repeat(6_000),
].join('\n')

export const HOSTILE_PATCH = `diff --git a/invoice\u202Efdp.exe b/invoice\u202Efdp.exe
index 1111111..2222222 100644
--- a/invoice\u202Efdp.exe
+++ b/invoice\u202Efdp.exe
@@ -1,2 +1,2 @@
-const access = 'user'
+const access = \u202E'nimda' // <img src=x onerror="window.hostile=1">
 ${'z'.repeat(10_000)}
diff --git a/blob.bin b/blob.bin
new file mode 100644
index 0000000..3333333
Binary files /dev/null and b/blob.bin differ
diff --git a/old <b>name</b>.txt b/new <b>name</b>.txt
similarity index 100%
rename from old <b>name</b>.txt
rename to new <b>name</b>.txt
diff --git a/huge.txt b/huge.txt
new file mode 100644
index 0000000..4444444
--- /dev/null
+++ b/huge.txt
@@ -0,0 +1,3000 @@
${'+line\n'.repeat(3_000).trimEnd()}
`
