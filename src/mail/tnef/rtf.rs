//! Unpacks compressed RTF (MS-OXRTFCP): LZ77 over a ring of 4 096 bytes that begins with words RTF
//! likes.

use super::u32_at;

/// The longest RTF that is unpacked, in bytes: markup is mostly longer than its text (M-04).
const LIMIT: usize = 8 * 1024 * 1024;

const RING: usize = 4096;

/// What the ring holds at first (MS-OXRTFCP §2.1.2.1).
const DICTIONARY: &[u8; 207] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \
    \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\
    \\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

const COMPRESSED: u32 = u32::from_le_bytes(*b"LZFu");
const PLAIN: u32 = u32::from_le_bytes(*b"MELA");

/// The RTF, or `None` when the bytes are not compressed RTF. What breaks off is taken as far as it
/// goes; the checksum is not verified.
pub fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = usize::try_from(u32_at(bytes, 4)?).ok()?.min(LIMIT);
    let contents = bytes.get(16..)?;
    match u32_at(bytes, 8)? {
        PLAIN => Some(contents[..contents.len().min(size)].to_vec()),
        COMPRESSED => Some(unpack_tokens(contents, size)),
        _ => None,
    }
}

fn unpack_tokens(contents: &[u8], size: usize) -> Vec<u8> {
    let mut ring = [b' '; RING];
    ring[..DICTIONARY.len()].copy_from_slice(DICTIONARY);
    let mut write = DICTIONARY.len();
    let mut unpacked = Vec::new();
    let mut tokens = contents.iter().copied();
    while let Some(control) = tokens.next() {
        for bit in 0..8 {
            if unpacked.len() >= size {
                return unpacked;
            }
            let Some(first) = tokens.next() else { return unpacked };
            if control & 1 << bit == 0 {
                ring[write] = first;
                write = (write + 1) % RING;
                unpacked.push(first);
                continue;
            }
            let Some(second) = tokens.next() else { return unpacked };
            let token = u16::from_be_bytes([first, second]);
            let (from, length) = (usize::from(token >> 4), usize::from(token & 0xf) + 2);
            // A reference to where the next byte would go says that this was all.
            if from == write {
                return unpacked;
            }
            for n in 0..length {
                let byte = ring[(from + n) % RING];
                ring[write] = byte;
                write = (write + 1) % RING;
                unpacked.push(byte);
            }
        }
    }
    unpacked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(kind: &[u8; 4], size: usize, contents: &[u8]) -> Vec<u8> {
        let number = |n: usize| u32::try_from(n).expect("a small size").to_le_bytes();
        [&number(contents.len() + 12)[..], &number(size), kind, &[0; 4], contents].concat()
    }

    #[test]
    fn m_21_the_dictionary_is_the_one_of_the_specification() {
        assert_eq!(DICTIONARY.len(), 207);
        assert!(DICTIONARY.ends_with(b"\\tab\\tx"));
    }

    #[test]
    fn m_21_compressed_rtf_is_unpacked() {
        // The two examples of MS-OXRTFCP §4.1: one with references into the dictionary, one that
        // crosses what it writes itself.
        let simple = [
            0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5,
            0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42,
            0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62, 0x77, 0x05, 0xb0,
            0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        assert_eq!(
            unpack(&simple).as_deref(),
            Some(&b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"[..])
        );
        let crossing = [
            0x1a, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xe2, 0xd4,
            0x4b, 0x51, 0x41, 0x00, 0x04, 0x20, 0x57, 0x58, 0x59, 0x5a, 0x0d, 0x6e, 0x7d, 0x01,
            0x0e, 0xb0,
        ];
        assert_eq!(unpack(&crossing).as_deref(), Some(&b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"[..]));
        assert_eq!(unpack(&packed(b"MELA", 5, b"{\\rtf")).as_deref(), Some(&b"{\\rtf"[..]));
    }

    #[test]
    fn m_21_t_34_rtf_that_lies_about_itself_is_bounded() {
        for kind in [b"LZFu", b"MELA"] {
            let bomb = packed(kind, usize::try_from(u32::MAX).expect("64 bits"), &[0xff; 30_000]);
            assert!(unpack(&bomb).expect("RTF").len() <= 30_000 * 9);
        }
        for broken in [&b""[..], b"LZFu", &packed(b"what", 9, b"x"), &[0; 15]] {
            assert_eq!(unpack(broken), None);
        }
        let cut_off = packed(b"LZFu", 100, b"\x02ab");
        assert_eq!(unpack(&cut_off).as_deref(), Some(&b"a"[..]));
    }
}
