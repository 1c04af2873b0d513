"""What `celery -A tasks.worker` loads: every task, and the rhythm of the sweeps."""

import importlib
import pkgutil

import tasks
from service.queue import RHYTHM, celery

for module in pkgutil.iter_modules(tasks.__path__, "tasks."):
    if module.name not in {"tasks.worker", "tasks.runtime"}:
        importlib.import_module(module.name)

celery.conf.beat_schedule = {str(kind): {"task": str(kind), "schedule": every} for kind, every in RHYTHM.items()}

app = celery
