"""The operations desk in figures, as Prometheus reads them."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from service.operations.schemas import OperationsView

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition(view: OperationsView) -> bytes:
    """Counts, sums in fen and ages in seconds; what is zero everywhere has no line but in `zhida_alarm`."""
    registry = CollectorRegistry()
    registry.register(_Desk(view))
    return generate_latest(registry)


class _Desk(Collector):
    def __init__(self, view: OperationsView) -> None:
        self._view = view

    def collect(self) -> Iterator[GaugeMetricFamily]:
        view = self._view
        alarms = _gauge("alarm", "What needs a person now, by kind.", "kind")
        counts = {each.code: each.count for each in view.alarms}
        for code in ALARMS:
            alarms.add_metric([code], counts.get(code, 0))
        yield alarms
        batches = _gauge("batches", "Batches that have not ended.", "district", "status")
        money = _gauge("batches_fen", "What they are over, in fen.", "district", "status")
        ages = _gauge("batch_age_seconds", "How long the oldest stands in its status.", "district", "status")
        for each in view.batches:
            where = [each.district, str(each.status)]
            batches.add_metric(where, each.count)
            money.add_metric(where, each.sum_fen)
            ages.add_metric(where, (view.at - each.oldest_since).total_seconds())
        yield from (batches, money, ages)
        waiting = _gauge("exceptions", "Payments unknown, and lines that fit none.", "district", "kind")
        for one in view.exceptions:
            waiting.add_metric([one.district, one.kind], one.count)
        yield waiting
        dead = _gauge("jobs_dead", "Work that failed too often.", "kind")
        for work in view.dead_jobs:
            dead.add_metric([work.kind], work.count)
        yield dead


#: Each kind of alarm has its line also when there is none.
ALARMS = ("unknown", "return_missing", "exceptions", "unanswered", "dead_jobs")


def _gauge(name: str, said: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"zhida_{name}", said, labels=labels)
