import Vestige

/// A page of the local site.
struct ViewPage: Sendable {
    let html: String
    /// What the page may load and run: its own script, and the viewer.
    let contentSecurityPolicy: String

    /// A list of traces.
    static func index(_ traces: [ViewedTrace]) -> ViewPage {
        let items = traces.map { "<li><a href=\"view/\($0.name)\">\(Markup.escaped($0.title))</a>" }
        return page(title: "Traces", body: "<h1>Traces</h1>\n<ul>\n\(items.joined(separator: "\n"))\n</ul>", script: "")
    }

    /// Perfetto's UI in a frame, which is handed the trace by a message. So nothing but this page fetches
    /// it, from the site it came from, whatever the port; and a browser has no window to block.
    static func perfetto(_ trace: ViewedTrace, _ address: WebAddress) -> ViewPage {
        let body = """
            <p id="note">Loading \(Markup.escaped(trace.title)) …</p>
            <iframe id="viewer" title="Perfetto" src="\(address.text)#!/?mode=embedded" data-origin="\(address.origin)" \
            data-trace="../\(trace.name)" data-title="\(Markup.escaped(trace.title))"></iframe>
            """
        return page(title: trace.title, body: body, script: perfettoScript, frames: address.origin)
    }

    /// The UI answers PING by PONG once it listens, and takes one trace.
    private static let perfettoScript = """
        const viewer = document.getElementById('viewer');
        const note = document.getElementById('note');
        const {origin, trace, title} = viewer.dataset;
        const say = (text) => { note.textContent = text; note.hidden = text === ''; };
        const bytes = fetch(trace).then((response) => {
          if (!response.ok) throw new Error('vestige answers ' + response.status);
          return response.arrayBuffer();
        });
        bytes.catch((error) => say('The trace could not be fetched (' + error.message + '). Is vestige view still running?'));
        const call = setInterval(() => viewer.contentWindow.postMessage('PING', '*'), 100);
        const slow = setTimeout(() => say(origin + ' does not answer. Can it be reached from here?'), 20000);
        addEventListener('message', async (event) => {
          if (event.source !== viewer.contentWindow || event.origin !== origin || event.data !== 'PONG') return;
          if (viewer.dataset.posted) return;
          viewer.dataset.posted = 'yes';
          clearInterval(call);
          clearTimeout(slow);
          const buffer = await bytes;
          const fileName = trace.slice(trace.lastIndexOf('/') + 1);
          viewer.contentWindow.postMessage({perfetto: {buffer, title, fileName}}, origin, [buffer]);
          say('');
          viewer.focus();
        });
        """

    static let catapultViewer = "trace_viewer_full.html"
    static let catapultLibrary = "webcomponents.min.js"

    static func type(ofCatapult name: String) -> String {
        name.hasSuffix(".js") ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8"
    }

    /// Catapult, made of the elements that its file defines.
    static func catapult(_ trace: ViewedTrace) -> ViewPage {
        let html = """
            <!DOCTYPE html>
            <html>
            <head>
            <meta charset="utf-8">
            <title>\(Markup.escaped(trace.title))</title>
            <script src="../\(catapultLibrary)"></script>
            <link rel="import" href="../\(catapultViewer)">
            <style>
            html, body { margin: 0; width: 100%; height: 100%; overflow: hidden; }
            #viewer { width: 100%; height: 100%; }
            #viewer:focus { outline: none; }
            </style>
            </head>
            <body data-trace="../\(trace.name)" data-title="\(Markup.escaped(trace.title))">
            <p id="note">Loading \(Markup.escaped(trace.title)) …</p>
            <script>
            \(catapultScript)
            </script>
            </body>
            </html>
            """
        // The viewer is made of inline scripts and evaluates code.
        let policy = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'none'"
        return ViewPage(html: html, contentSecurityPolicy: policy)
    }

    /// Gzip is handed over as bytes, text as a string.
    private static let catapultScript = """
        const note = document.getElementById('note');
        async function show() {
          const {trace, title} = document.body.dataset;
          const response = await fetch(trace);
          if (!response.ok) throw new Error('vestige answers ' + response.status);
          const bytes = await response.arrayBuffer();
          const isGzip = new DataView(bytes).getUint16(0) === 0x1f8b;
          const container = document.createElement('track-view-container');
          container.id = 'track_view_container';
          const viewer = document.createElement('tr-ui-timeline-view');
          viewer.id = 'viewer';
          viewer.track_view_container = container;
          Polymer.dom(viewer).appendChild(container);
          viewer.globalMode = true;
          Polymer.dom(document.body).appendChild(viewer);
          const model = new tr.Model();
          await new tr.importer.Import(model).importTracesWithProgressDialog(
            [isGzip ? bytes : new TextDecoder().decode(bytes)]);
          viewer.model = model;
          viewer.viewTitle = title;
          note.remove();
        }
        document.addEventListener('WebComponentsReady', () => {
          show().catch((error) => { note.textContent = 'The trace could not be shown: ' + error.message; });
        });
        if (!window.WebComponents) {
          note.textContent = 'The file \(catapultLibrary) has to stand beside catapult\\'s \(catapultViewer).';
        }
        """

    private static func page(title: String, body: String, script: String, frames: String = "'none'") -> ViewPage {
        let nonce = String(UInt64.random(in: 0 ... .max), radix: 36)
        let html = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>\(Markup.escaped(title))</title>
            <style nonce="\(nonce)">
            html, body { margin: 0; height: 100%; font-family: sans-serif; }
            body { display: flex; flex-direction: column; }
            h1, p, ul { margin: 12px 16px; }
            ul { padding-left: 20px; }
            iframe { border: 0; flex: 1; width: 100%; }
            [hidden] { display: none; }
            </style>
            </head>
            <body>
            \(body)
            <script nonce="\(nonce)">
            \(script)
            </script>
            </body>
            </html>
            """
        let policy =
            "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; "
            + "frame-src \(frames); base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        return ViewPage(html: html, contentSecurityPolicy: policy)
    }
}
