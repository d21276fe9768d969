//! A small file system in memory, mounted below a test's own folder and gone with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system that is mounted; unmounted when dropped, however the test ends.
pub struct Tmpfs {
    at: PathBuf,
}

impl Tmpfs {
    /// Mounts one at `at`, which is made; `options` in the words of `mount`, e.g. `size=8m`.
    pub fn mount(at: &Path, options: &str) -> Tmpfs {
        fs::create_dir_all(at).expect("made");
        let options = format!("mode=0700,{options}");
        mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], at);
        Tmpfs { at: at.to_owned() }
    }

    /// Writes a file until nothing more fits; removing it makes room.
    pub fn fill(&self) -> PathBuf {
        let ballast = self.at.join("ballast");
        let _ = fs::write(&ballast, vec![0; 1 << 20].repeat(64));
        let mut crumbs = fs::OpenOptions::new().append(true).open(&ballast).expect("it is there");
        while std::io::Write::write(&mut crumbs, &[0; 512]).is_ok_and(|written| written > 0) {}
        ballast
    }

    /// Makes empty files until there can be no more; removing the folder makes room.
    pub fn use_up_inodes(&self) -> PathBuf {
        let folder = self.at.join("many");
        fs::create_dir(&folder).expect("made");
        let mut n = 0;
        while fs::File::create(folder.join(n.to_string())).is_ok() {
            n += 1;
        }
        folder
    }

    /// Changes how it is mounted: `ro`, `rw`, another `size=`.
    pub fn remount(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], &self.at);
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open there does not keep the folder.
        let status = Command::new("umount").arg("-l").arg(&self.at).status();
        if !std::thread::panicking() {
            assert!(status.expect("`umount` runs").success(), "{} is unmounted", self.at.display());
        }
    }
}

fn mount(words: &[&str], at: &Path) {
    let output = Command::new("mount").args(words).arg(at).output().expect("`mount` runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "a test that mounts must be root: {said}");
}
