//! Cells of fixed size, by their bytes: the most significant first.

/// Days from 1970-01-01 to 2000-01-01, where the server counts from.
pub(crate) const EPOCH_DAYS: i32 = 10_957;

/// The cell does not have the form of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

fn exact<const N: usize>(cell: &[u8]) -> Result<[u8; N], Malformed> {
    cell.try_into().map_err(|_| Malformed)
}

pub(crate) fn bool(cell: &[u8]) -> Result<bool, Malformed> {
    Ok(exact::<1>(cell)? != [0])
}

pub(crate) fn int2(cell: &[u8]) -> Result<i16, Malformed> {
    exact(cell).map(i16::from_be_bytes)
}

pub(crate) fn int4(cell: &[u8]) -> Result<i32, Malformed> {
    exact(cell).map(i32::from_be_bytes)
}

pub(crate) fn int8(cell: &[u8]) -> Result<i64, Malformed> {
    exact(cell).map(i64::from_be_bytes)
}

pub(crate) fn oid(cell: &[u8]) -> Result<u32, Malformed> {
    exact(cell).map(u32::from_be_bytes)
}

pub(crate) fn float4(cell: &[u8]) -> Result<f32, Malformed> {
    exact(cell).map(f32::from_be_bytes)
}

pub(crate) fn float8(cell: &[u8]) -> Result<f64, Malformed> {
    exact(cell).map(f64::from_be_bytes)
}

pub(crate) fn text(cell: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(cell).map_err(|_| Malformed)
}

/// The text behind the version of jsonb's form.
pub(crate) fn jsonb(cell: &[u8]) -> Result<&[u8], Malformed> {
    cell.strip_prefix(&[1]).ok_or(Malformed)
}
