//! A real browser: Debian's Chromium, driven through its own driver, with its profile in the test's folder.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{official, wait};

const DRIVER: &str = "/usr/bin/chromedriver";
/// Beside what a test needs: nothing that would ask other hosts.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// The height of a window that most pages are higher than.
const LOW: u32 = 300;

/// A browser. It ends when this is dropped.
pub(crate) struct Browser {
    client: Client,
    runtime: Runtime,
    driver: Child,
}

impl Browser {
    /// Starts one whose profile is in this folder, and which likes pages dark or light.
    pub(crate) fn start(folder: &Path, is_dark: bool) -> Self {
        let mut driver = Command::new(DRIVER);
        driver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let driver = official::alone(&mut driver, folder).spawn();
        let mut driver = driver.expect("`cargo xtask test` installs chromium and its driver");
        let output = BufReader::new(driver.stdout.take().expect("stdout was asked to be piped"));
        let port = |line: String| Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned());
        let mut lines = output.lines().map_while(Result::ok);
        let port = lines.by_ref().find_map(port).expect("the driver tells its port");
        std::thread::spawn(move || lines.for_each(drop));

        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", folder.join("profile").display()));
        flags.push(format!("--blink-settings=preferredColorScheme={}", if is_dark { 0 } else { 1 }));
        let options = json!({"args": flags, "binary": "/usr/bin/chromium"});
        let capabilities = [("goog:chromeOptions".to_owned(), options)].into_iter().collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let connect = async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities);
            builder.connect(&format!("http://127.0.0.1:{port}")).await
        };
        let client = runtime.block_on(connect).expect("a session with the browser");
        Self { client, runtime, driver }
    }

    /// Goes to an address.
    pub(crate) fn go(&self, url: &str) {
        self.runtime.block_on(self.client.goto(url)).unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        self.runtime.block_on(self.client.current_url()).expect("an address").to_string()
    }

    fn find(&self, css: &str) -> Option<Element> {
        self.runtime.block_on(self.client.find(Locator::Css(css))).ok()
    }

    fn element(&self, css: &str) -> Element {
        wait::until(&format!("{css} on {}", self.url()), || self.find(css))
    }

    /// Fills in a field.
    pub(crate) fn fill(&self, css: &str, text: &str) {
        // Typing would have the browser's own help with brackets and the like; this is what a paste does.
        let script = "arguments[0].value = arguments[1]";
        let element = serde_json::to_value(self.element(css)).expect("an element's reference");
        self.run(script, vec![element, json!(text)]);
    }

    /// Presses a button or follows a link.
    pub(crate) fn press(&self, css: &str) {
        let element = self.element(css);
        self.runtime.block_on(element.click()).unwrap_or_else(|error| panic!("{css} on {}: {error}", self.url()));
    }

    /// The text that is seen of an element; empty where it is not there.
    pub(crate) fn text(&self, css: &str) -> String {
        let script = "const it = document.querySelector(arguments[0]); return it ? it.textContent : ''";
        self.run(script, vec![json!(css)]).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an element's text has this in it.
    pub(crate) fn wait_for(&self, css: &str, wanted: &str) {
        wait::until(&format!("`{wanted}` in {css} on {}", self.url()), || {
            self.text(css).contains(wanted).then_some(())
        });
    }

    /// Waits until there is no such element, as on the page that follows.
    pub(crate) fn wait_until_gone(&self, css: &str) {
        wait::until(&format!("no {css} on {}", self.url()), || self.find(css).is_none().then_some(()));
    }

    /// Runs a script in the page, and gives what it returns.
    pub(crate) fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.runtime
            .block_on(self.client.execute(script, arguments))
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs a script that calls its last argument with what it finds out.
    pub(crate) fn ask(&self, script: &str) -> Value {
        let asked = self.runtime.block_on(self.client.execute_async(script, Vec::new()));
        asked.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The page as it is sent, by the browser's own session.
    pub(crate) fn source(&self) -> String {
        let script = "const done = arguments[0]; fetch(location.href).then((reply) => reply.text()).then(done)";
        self.ask(script).as_str().unwrap_or_default().to_owned()
    }

    /// Writes what is seen at this width into a file.
    pub(crate) fn draw(&self, width: u32, file: &Path) {
        let height = |browser: &Self| {
            // What the window itself takes is not seen.
            let script = "return document.documentElement.scrollHeight + outerHeight - innerHeight";
            u32::try_from(browser.run(script, Vec::new()).as_u64().unwrap_or(900)).unwrap_or(900).clamp(LOW, 4_000)
        };
        // A page is never lower than its window, so that is low at first.
        let size = |height| {
            self.runtime.block_on(self.client.set_window_size(width, height)).expect("the window has another size");
        };
        size(LOW);
        size(height(self));
        let picture = self.runtime.block_on(self.client.screenshot()).expect("a picture");
        fs::create_dir_all(file.parent().expect("in a folder")).expect("a folder for pictures");
        fs::write(file, picture).expect("the picture is written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The session's end ends the browser.
        let _ = self.runtime.block_on(self.client.clone().close());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The folder with what pages are held against.
pub(crate) fn checkers() -> PathBuf {
    let told = std::env::var_os("HERALD_TEST_CHECKERS").map(PathBuf::from);
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/console-checkers");
    let folder = told.unwrap_or_else(usual);
    assert!(folder.join("node_modules").exists(), "`cargo xtask test` installs what pages are held against");
    folder
}
