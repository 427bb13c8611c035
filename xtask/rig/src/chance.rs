//! Numbers that look drawn but are the same in every run, so that a demo and a screenshot can be repeated.

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): each number from its place.
#[must_use]
pub fn drawn(place: u64) -> u64 {
    let mut z = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One of the entries.
#[must_use]
pub fn one_of<T: Copy>(entries: &[T], place: u64) -> T {
    entries[(drawn(place) % entries.len() as u64) as usize]
}

/// A UUID of version 4 (RFC 9562 section 5.4) that belongs to a place.
#[must_use]
pub fn uuid(place: u64) -> String {
    let (a, b) = (drawn(place ^ 0x5151), drawn(place ^ 0xa2a2));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 48 & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

/// Forty hexadecimal digits: a commit's name.
#[must_use]
pub fn commit(place: u64) -> String {
    format!("{:016x}{:016x}{:08x}", drawn(place ^ 1), drawn(place ^ 2), drawn(place ^ 3) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_number_in_every_run_and_neighbours_differ() {
        assert_eq!(drawn(7), drawn(7));
        let different: std::collections::BTreeSet<String> = (0..1_000).map(uuid).collect();
        assert_eq!(different.len(), 1_000);
        assert!(different.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'));
        assert_eq!(commit(3).len(), 40);
    }
}
