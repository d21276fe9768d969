//! What a program did to its disk, and said to the network, as `strace` wrote it down with all the
//! bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

const CALLS: &str = "trace=openat,write,writev,pwrite64,pwritev,ftruncate,fallocate,fsync,fdatasync,\
    rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat,sendto,sendmsg";

/// One call that succeeded, from the line that it begins at to the line that it ends at.
#[derive(Debug)]
pub struct Event {
    pub begin: usize,
    pub end: usize,
    pub what: What,
}

#[derive(Debug)]
pub enum What {
    Folder(PathBuf),
    /// Opened with leave to make it.
    Made(PathBuf),
    Removed(PathBuf),
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Said(Vec<u8>),
    /// A file or a folder.
    Synced(PathBuf),
    Truncated {
        path: PathBuf,
        length: usize,
    },
    /// `offset`: none is where the last write ended.
    Wrote {
        path: PathBuf,
        offset: Option<usize>,
        bytes: Vec<u8>,
    },
}

/// Runs `command` under strace to its end, in `folder`; what it did to files below that.
pub fn record(command: &Command, folder: &Path) -> Vec<Event> {
    let file = folder.with_extension("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-xx", "-s", "16777216", "-e", CALLS, "-e", "signal=none", "-o"]);
    strace.arg(&file).arg(command.get_program()).args(command.get_args()).current_dir(folder);
    let output = strace.output().expect("strace starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&file).expect("the trace is text");
    std::fs::remove_file(&file).expect("it was ours");
    let reader = Reader::new(folder);
    whole(&text).iter().filter_map(|call| reader.event(call)).collect()
}

/// A call in one piece.
struct Call {
    begin: usize,
    end: usize,
    text: String,
}

// Calls of several threads lie across one another: `… <unfinished ...>`, `<... write resumed>…`.
fn whole(text: &str) -> Vec<Call> {
    let mut unfinished: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let mut calls = Vec::new();
    for (line, text) in text.lines().enumerate() {
        let (pid, text) = text.split_once(' ').unwrap_or(("", text));
        let text = text.trim_start();
        if let Some(first) = text.strip_suffix(" <unfinished ...>") {
            unfinished.insert(pid, (line, first));
        } else if let Some((_, rest)) = text.split_once(" resumed>") {
            if let Some((begin, first)) = unfinished.remove(pid) {
                calls.push(Call { begin, end: line, text: format!("{first}{rest}") });
            }
        } else {
            calls.push(Call { begin: line, end: line, text: text.to_owned() });
        }
    }
    calls
}

struct Reader<'a> {
    folder: &'a Path,
    on: Regex,
    string: Regex,
    answer: Regex,
}

impl Reader<'_> {
    fn new(folder: &Path) -> Reader<'_> {
        let regex = |text| Regex::new(text).expect("the pattern is good");
        Reader {
            folder,
            on: regex(r"^\w+\(\d+<([^>]*)>"),
            string: regex(r#""((?:\\x[0-9a-f]{2})*)""#),
            answer: regex(r"\)\s+= (\d+)(?:<([^>]*)>)?[^)]*$"),
        }
    }

    fn event(&self, call: &Call) -> Option<Event> {
        let answer = self.answer.captures(&call.text)?;
        let name = call.text.split('(').next()?;
        let on = self.on.captures(&call.text).map(|found| path(&found[1]));
        let strings: Vec<Vec<u8>> =
            self.string.captures_iter(&call.text).map(|found| bytes(&found[1])).collect();
        let named = |n: usize| -> Option<PathBuf> {
            let name = String::from_utf8_lossy(strings.get(n)?).into_owned();
            Some(self.folder.join(name)).filter(|path| path.starts_with(self.folder))
        };
        let ours = || on.clone().filter(|path| path.starts_with(self.folder));
        let number = |n: usize| -> Option<usize> {
            let arguments = call.text[..answer.get(0)?.start()].rsplit(", ").nth(n)?;
            arguments.trim().parse().ok()
        };
        let what = match name {
            "openat" => {
                let path = path(answer.get(2)?.as_str());
                let is_made = call.text.contains("O_CREAT") && path.starts_with(self.folder);
                let is_emptied = call.text.contains("O_TRUNC");
                assert!(!is_emptied || is_made, "an existing file is emptied: {}", call.text);
                is_made.then_some(What::Made(path))?
            }
            "pwrite64" => What::Wrote {
                path: ours()?,
                offset: Some(number(0)?),
                bytes: strings.into_iter().next()?,
            },
            "write" if ours().is_some() => {
                What::Wrote { path: ours()?, offset: None, bytes: strings.into_iter().next()? }
            }
            "write" | "sendto" => What::Said(strings.into_iter().next()?),
            "writev" | "sendmsg" => What::Said(strings.concat()),
            "ftruncate" => What::Truncated { path: ours()?, length: number(0)? },
            "fsync" | "fdatasync" => What::Synced(ours()?),
            "rename" | "renameat" | "renameat2" => What::Renamed { from: named(0)?, to: named(1)? },
            "unlink" | "unlinkat" => What::Removed(named(0)?),
            "mkdir" | "mkdirat" => What::Folder(named(0)?),
            _ if ours().is_some() || named(0).is_some() => {
                panic!("nobody knows what this does to the disk: {}", call.text)
            }
            _ => return None,
        };
        Some(Event { begin: call.begin, end: call.end, what })
    }
}

fn path(hex: &str) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes(hex)).into_owned())
}

// `\x41\x42`
fn bytes(hex: &str) -> Vec<u8> {
    hex.split("\\x")
        .filter(|byte| !byte.is_empty())
        .map(|byte| u8::from_str_radix(byte, 16).expect("strace writes hex"))
        .collect()
}
