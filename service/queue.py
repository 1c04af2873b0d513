"""The names of owed jobs and of the services they wait for, and the Celery object that carries their nudges."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from celery import Celery

from service.settings import settings

#: A message carries at most this many job ids.
IDS_PER_MESSAGE_MAX = 200


class Job(StrEnum):
    """Every kind of owed work; `tasks/` has one task for each (a test compares)."""

    IMPORT_ROSTER = "claims.import_roster"
    FILE_ROSTER = "claims.file_roster"
    VERIFY_CERTIFICATE = "verification.verify_certificate"
    RECHECK_CERTIFICATE = "verification.recheck_certificate"
    SETTLE_FILE = "verification.settle_file"
    ASSEMBLE_BATCH = "batches.assemble_batch"
    WRITE_BANK_FILE = "batches.write_bank_file"
    SEND_BANK_FILE = "batches.send_bank_file"
    RESEND_BANK_FILE = "batches.resend_bank_file"
    FETCH_RETURN = "reconciliation.fetch_return"
    ASK_PAYMENTS = "reconciliation.ask_payments"
    RAISE_CLAWBACK = "clawbacks.raise_clawback"
    SETTLE_REPAYMENT = "clawbacks.settle_repayment"
    PAY_SUPPLEMENT = "clawbacks.pay_supplement"
    HOLD_CLAIMS = "oversight.hold_claims"
    SEND_MESSAGE = "messages.send_message"
    CREDIT_PATROL = "oversight.credit_patrol"
    WEIGH = "training.weigh"
    RUN_SIGNALS = "oversight.run_signals"
    HOLD_SIGNALLED = "oversight.hold_signalled"
    HURRY_WAITING = "operations.hurry_waiting"


class Outside(StrEnum):
    """Services that are not ours, for whose answers work waits."""

    REGISTRY = "registry"
    BANK = "bank"
    SMS = "sms"

    @property
    def id(self) -> UUID:
        """By which jobs and the journal name it."""
        return uuid5(NAMESPACE_URL, f"zhida:outside:{self}")


@dataclass(frozen=True)
class Waits:
    """The jobs that wait for a service, and the reasons they give while it does not answer. One that waits for
    something else (the agreed calls, a bank's hours, a return that is not there yet) is not among them."""

    kinds: tuple[Job, ...]
    reasons: tuple[str, ...]


WAITS: Mapping[Outside, Waits] = {
    Outside.REGISTRY: Waits(
        (Job.VERIFY_CERTIFICATE, Job.RECHECK_CERTIFICATE),
        ("registry.resting", "registry.unavailable", "registry.unanswered"),
    ),
    Outside.BANK: Waits((Job.SEND_BANK_FILE, Job.FETCH_RETURN), ("bank.unavailable", "bank.unclear")),
    Outside.SMS: Waits((Job.SEND_MESSAGE,), ("sms.unavailable", "sms.unanswered")),
}


#: Less of what takes long, so that several workers share it.
IDS_PER_MESSAGE: dict[str, int] = {
    Job.IMPORT_ROSTER: 1,
    Job.FILE_ROSTER: 4,
    Job.SETTLE_FILE: 1,
    Job.ASSEMBLE_BATCH: 1,
    Job.HOLD_CLAIMS: 1,
    Job.WEIGH: 1,
    Job.RUN_SIGNALS: 1,
    Job.HOLD_SIGNALLED: 10,
    Job.HURRY_WAITING: 1,
}


class Sweep(StrEnum):
    """What beat starts on a rhythm."""

    NUDGE_WHAT_IS_DUE = "jobs.nudge_what_is_due"
    ASK_AGAIN = "verification.ask_again"
    CLOSE_NOTICES = "notices.close_notices"
    FOLD_TALLY = "claims.fold_tally"
    LAPSE_SENT_BACK = "claims.lapse_sent_back"
    FORGET_DRAFTS = "claims.forget_drafts"
    ADVANCE_CLASSES = "training.advance_classes"
    TELL = "messages.tell"
    REMIND = "messages.remind"
    TELL_OFFERS = "messages.tell_offers"
    TELL_OFFICERS = "messages.tell_officers"
    ASK_SIGNALS = "oversight.ask_signals"
    PREPARE_OFFERS = "offers.prepare_offers"
    EXPIRE_OFFERS = "offers.expire_offers"
    CLOSE_DAYS = "statements.close_days"
    WATCH = "operations.watch"
    SEAL_JOURNAL = "audit.seal_journal"
    NOTE_SEAL = "audit.note_seal"
    COUNT_PAID = "statistics.count_paid"


def _make() -> Celery:
    app = Celery("zhida")
    app.conf.update(
        broker_url=settings().redis_url or "redis://127.0.0.1:1/0",
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": 900,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": 30,
            "health_check_interval": 10,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
        },
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_publish_retry=False,
        task_time_limit=300,
        task_default_queue="zhida",
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        enable_utc=True,
        timezone="Asia/Shanghai",
    )
    return app


celery = _make()

#: How often beat starts each sweep.
RHYTHM: dict[Sweep, timedelta] = {
    Sweep.NUDGE_WHAT_IS_DUE: timedelta(seconds=2),
    Sweep.ASK_AGAIN: timedelta(hours=1),
    Sweep.CLOSE_NOTICES: timedelta(seconds=10),
    Sweep.FOLD_TALLY: timedelta(seconds=10),
    Sweep.LAPSE_SENT_BACK: timedelta(seconds=60),
    Sweep.FORGET_DRAFTS: timedelta(hours=1),
    Sweep.ADVANCE_CLASSES: timedelta(seconds=10),
    Sweep.TELL: timedelta(seconds=5),
    Sweep.REMIND: timedelta(hours=1),
    Sweep.TELL_OFFERS: timedelta(hours=1),
    Sweep.TELL_OFFICERS: timedelta(hours=1),  # a day has one message an officer
    Sweep.ASK_SIGNALS: timedelta(minutes=10),  # a day has one run: the first after midnight
    Sweep.PREPARE_OFFERS: timedelta(hours=1),
    Sweep.EXPIRE_OFFERS: timedelta(hours=1),
    Sweep.CLOSE_DAYS: timedelta(minutes=10),
    Sweep.WATCH: timedelta(minutes=10),
    Sweep.SEAL_JOURNAL: timedelta(seconds=20),
    Sweep.NOTE_SEAL: timedelta(minutes=10),  # a day's last note is its head
    Sweep.COUNT_PAID: timedelta(minutes=10),
}
