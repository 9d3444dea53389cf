//! Which registers are read together.
//!
//! Separate because it needs no device: neighbours share a request, no address is asked for that the map does not have,
//! and no value is torn apart between two requests.

use crate::frame::{Request, Table};
use crate::limits::{BITS_MAX, REGISTERS_MAX};
use crate::register::Register;

/// Registers that one request reads, by their indices in the module's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    table: Table,
    address: u16,
    count: u16,
    /// In the order of their addresses.
    points: Vec<usize>,
}

/// The fewest blocks that read all of these.
pub(crate) fn blocks(registers: &[Register]) -> Vec<Block> {
    let mut order: Vec<usize> = (0..registers.len()).collect();
    order.sort_by_key(|point| {
        let register = &registers[*point];
        (register.table, register.address, register.width())
    });
    grouped(&order, registers)
}

/// The blocks of some registers, which are in the order of their addresses.
fn grouped(points: &[usize], registers: &[Register]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for point in points {
        let register = &registers[*point];
        let block = blocks.last_mut();
        let grown = block.is_some_and(|block| block.take(*point, register));
        if !grown {
            blocks.push(Block::single(*point, register));
        }
    }
    blocks
}

impl Block {
    /// A block of one register.
    pub(crate) fn single(point: usize, register: &Register) -> Self {
        Self {
            table: register.table,
            address: register.address,
            count: register.width(),
            points: vec![point],
        }
    }

    /// Takes one more register in if it touches the block and the request stays within its bound.
    fn take(&mut self, point: usize, register: &Register) -> bool {
        let max = match self.table {
            Table::Coil | Table::Discrete => BITS_MAX,
            Table::Input | Table::Holding => REGISTERS_MAX,
        };
        let Some(offset) = register.address.checked_sub(self.address) else {
            return false;
        };
        // Neither overflows: an address has 16 bits, and so does the end of a block with one that is within its bound.
        let count = self.count.max(offset.saturating_add(register.width()));
        if self.table != register.table || offset > self.count || count > max {
            return false;
        }
        self.count = count;
        self.points.push(point);
        true
    }

    /// Smaller blocks that read the same, each at most half of the registers; `None` of a single register.
    pub(crate) fn halves(&self, registers: &[Register]) -> Option<Vec<Self>> {
        if self.points.len() < 2 {
            return None;
        }
        let (first, second) = self.points.split_at(self.points.len() / 2);
        // What a register held together that reaches over others may fall apart into more than two.
        let mut halves = grouped(first, registers);
        halves.extend(grouped(second, registers));
        Some(halves)
    }

    /// The request that reads the block.
    pub(crate) fn request(&self) -> Request {
        Request::Read {
            table: self.table,
            address: self.address,
            count: self.count,
        }
    }

    /// The registers that it reads, by their indices.
    pub(crate) fn points(&self) -> &[usize] {
        &self.points
    }

    /// Where a register stands in the answer.
    pub(crate) fn offset(&self, register: &Register) -> usize {
        usize::from(register.address.saturating_sub(self.address))
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json::{self, json};
    use proptest::prelude::*;

    use super::*;

    fn registers(said: &driver_sdk::serde_json::Value) -> Vec<Register> {
        serde_json::from_str(&said.to_string()).unwrap()
    }

    /// Table, address and count of each request.
    fn requests(registers: &[Register]) -> Vec<(Table, u16, u16)> {
        let blocks = blocks(registers);
        let parts = |block: &Block| (block.table, block.address, block.count);
        blocks.iter().map(parts).collect()
    }

    #[test]
    fn neighbours_are_read_in_one_request_and_gaps_are_not_read() {
        let map = registers(&json!([
            {"holding": 104, "type": "f32"},
            {"holding": 100},
            {"holding": 101, "type": "i16"},
            {"holding": 102, "type": "u32"},
            {"holding": 110, "type": "f32"},
            {"holding": 120, "bit": 3},
            {"holding": 120, "bit": 4},
            {"input": 10},
            {"coil": 3},
            {"discrete": 4},
        ]));
        let expect = [
            (Table::Coil, 3, 1),
            (Table::Discrete, 4, 1),
            (Table::Input, 10, 1),
            (Table::Holding, 100, 6),
            (Table::Holding, 110, 2),
            (Table::Holding, 120, 1),
        ];
        assert_eq!(requests(&map), expect);
    }

    #[test]
    fn a_request_is_within_its_bound_and_tears_no_value() {
        let row: Vec<_> = (0..100)
            .map(|at| json!({"holding": 2 * at, "type": "u32"}))
            .collect();
        let expect = [(Table::Holding, 0, 124), (Table::Holding, 124, 76)];
        assert_eq!(requests(&registers(&json!(row))), expect);
        let row: Vec<_> = (0..2001).map(|at| json!({"coil": at})).collect();
        let expect = [(Table::Coil, 0, 2000), (Table::Coil, 2000, 1)];
        assert_eq!(requests(&registers(&json!(row))), expect);
    }

    #[test]
    fn the_last_address_is_read() {
        let map = registers(&json!([{"holding": 65534}, {"holding": 65535}]));
        assert_eq!(requests(&map), [(Table::Holding, 65534, 2)]);
    }

    proptest! {
        #[test]
        fn each_register_is_whole_in_one_block_also_after_halving(
            map in proptest::collection::vec((0_u16..300, 0_usize..3), 1..80),
        ) {
            let said: Vec<_> = map
                .iter()
                .map(|(address, kind)| {
                    let kind = ["u16", "u32", "u64"][*kind];
                    json!({"holding": address, "type": kind})
                })
                .collect();
            let map = registers(&json!(said));
            let asked: std::collections::HashSet<u16> = map
                .iter()
                .flat_map(|register| register.address..register.address + register.width())
                .collect();
            let mut waiting = blocks(&map);
            let mut seen = vec![0; map.len()];
            for point in waiting.iter().flat_map(|block| &block.points) {
                seen[*point] += 1;
            }
            prop_assert!(seen.iter().all(|times| *times == 1));
            while let Some(block) = waiting.pop() {
                prop_assert!(block.count <= REGISTERS_MAX);
                prop_assert!((block.address..block.address + block.count).all(|at| asked.contains(&at)));
                for point in &block.points {
                    let end = block.offset(&map[*point]) + usize::from(map[*point].width());
                    prop_assert!(map[*point].address >= block.address && end <= usize::from(block.count));
                }
                if let Some(halves) = block.halves(&map) {
                    let points: Vec<usize> = halves.iter().flat_map(|half| half.points.clone()).collect();
                    prop_assert_eq!(&points, &block.points);
                    waiting.extend(halves);
                }
            }
        }
    }
}
