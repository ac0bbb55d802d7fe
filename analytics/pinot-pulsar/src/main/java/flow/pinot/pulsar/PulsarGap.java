// Whether rows are missing between the last row taken and the next one that came.
//
// A reader does not hold data back: retention may delete what Pinot has not read, and a start in a
// deleted ledger silently moves on. Retention deletes whole ledgers, the oldest first. So a step
// within a ledger loses nothing, and a step to another one loses nothing while the left ledger still
// exists. When that is gone, consecutive message numbers (see PulsarPosition) prove that nothing is
// missing; a jump in them, or a batch of which rows were still due, that something is; else nobody
// can know whether the last row taken was the last of its ledger.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

enum PulsarGap {
  NONE,
  /** A loss if the left ledger is gone. */
  EVIDENT,
  /** Perhaps a loss if the left ledger is gone. */
  UNPROVEN;

  static PulsarGap between(PulsarPosition last, PulsarPosition next) {
    if (last.isBeginning() || last.ledger() == next.ledger()) {
      return NONE;
    }
    if (last.isInsideBatch()) {
      return EVIDENT;
    }
    if (last.index() >= 0 && next.index() >= 0) {
      return next.index() == last.index() + 1 ? NONE : EVIDENT;
    }
    return UNPROVEN;
  }
}
