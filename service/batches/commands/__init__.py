"""What is done to a batch, one verb a module, in the order of its life."""

from service.batches.commands.assemble import assemble
from service.batches.commands.carrying import hand_over, open_file, say_of_file, take_file
from service.batches.commands.delegating import confirm_delegation, propose_delegation
from service.batches.commands.dissolve import dissolve_batch, reject_batch
from service.batches.commands.holding import hold_batch, lift_batch
from service.batches.commands.open import open_batch, tell_progress
from service.batches.commands.resending import intend_to_resend, say_resend
from service.batches.commands.restored import mark_restored
from service.batches.commands.send import FileToSend, intend_to_send, settle_answer
from service.batches.commands.sign import SIGNINGS, Signing, check_batch, note_refusal, release_batch, submit_batch
from service.batches.commands.taking_out import hold, lift, revoke, take_out, withdraw
from service.batches.commands.write_file import write_bank_file

__all__ = [
    "SIGNINGS",
    "FileToSend",
    "Signing",
    "assemble",
    "check_batch",
    "confirm_delegation",
    "dissolve_batch",
    "hand_over",
    "hold",
    "hold_batch",
    "intend_to_resend",
    "intend_to_send",
    "lift",
    "lift_batch",
    "mark_restored",
    "note_refusal",
    "open_batch",
    "open_file",
    "propose_delegation",
    "reject_batch",
    "release_batch",
    "revoke",
    "say_of_file",
    "say_resend",
    "settle_answer",
    "submit_batch",
    "take_file",
    "take_out",
    "tell_progress",
    "withdraw",
    "write_bank_file",
]
