//! How passwords are kept: as Argon2id strings. Each hash takes 19 MB for as long as it is made, and
//! leaves none of them behind (T-27).

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

// OWASP's floor for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

// In blocks of 1 KiB. What is larger than 32 MiB glibc takes from the system for itself and gives back
// at once; of what is smaller and aligned, as blocks are, its heaps, before 2.39, keep every one (bug 30723):
// 200 logins took 1.4 GB. What is asked for beyond the blocks is never touched, so it is no memory.
const APART: usize = 33 * 1024;

/// The Argon2id string of a password; with as much work as is asked for now.
pub fn hash(password: &str, salt: &[u8; 16]) -> String {
    let argon2 = hasher();
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    fill(&argon2, password.as_bytes(), salt, &mut output)
        .expect("a bounded password and a salt of 16 bytes can be hashed");
    PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).expect("three numbers fit"),
        salt: Some(Salt::new(salt).expect("a salt has 8 to 64 bytes")),
        hash: Some(Output::new(&output).expect("32 bytes are an output")),
    }
    .to_string()
}

/// Whether `hash` was made of this password, whatever it was made with.
pub fn is_of(password: &str, hash: &PasswordHash) -> bool {
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return false };
    let parts = (
        Algorithm::try_from(hash.algorithm.as_str()),
        Version::try_from(hash.version.unwrap_or(Version::V0x13.into())),
        Params::try_from(hash),
    );
    let (Ok(algorithm), Ok(version), Ok(params)) = parts else { return false };
    let mut output = vec![0; expected.len()];
    let argon2 = Argon2::new(algorithm, version, params);
    fill(&argon2, password.as_bytes(), salt, &mut output)
        // Two outputs are compared in constant time.
        .is_some_and(|()| Output::new(&output).is_ok_and(|output| output == *expected))
}

/// What passwords are hashed with: no less than this, whoever chose them.
pub fn hasher() -> Argon2<'static> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .expect("the parameters are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
}

fn fill(argon2: &Argon2<'_>, password: &[u8], salt: &[u8], output: &mut [u8]) -> Option<()> {
    let blocks = argon2.params().block_count();
    let mut memory: Vec<Block> = Vec::new();
    memory.try_reserve_exact(blocks.max(APART)).ok()?;
    memory.resize(blocks, Block::default());
    argon2.hash_password_into_with_memory(password, salt, output, memory.as_mut_slice()).ok()
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[test]
    fn what_we_hash_others_verify_and_what_they_hash_we_do() {
        let ours = hash("vier grüne Gurken", &[7; 16]);
        assert!(ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{ours}");
        let theirs = hasher().hash_password_with_salt("vier grüne Gurken".as_bytes(), &[7; 16]);
        assert_eq!(theirs.expect("it can be hashed").to_string(), ours);
        let ours = PasswordHash::new(&ours).expect("a PHC string");
        let verified = Argon2::default().verify_password("vier grüne Gurken".as_bytes(), &ours);
        assert!(verified.is_ok());
        assert!(is_of("vier grüne Gurken", &ours));
        assert!(!is_of("vier grüne Gurke", &ours));
        // With other parameters, another algorithm, an older version and a shorter output.
        let params = Params::new(64, 1, 2, Some(16)).expect("parameters");
        let other = Argon2::new(Algorithm::Argon2i, Version::V0x10, params);
        let other = other.hash_password_with_salt(b"abc", &[1; 12]).expect("it can be hashed");
        assert!(is_of("abc", &other));
        assert!(!is_of("abd", &other));
    }
}
