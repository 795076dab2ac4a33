"""Stories in which each daemon has a disk of its own that can fail: see power.py."""
import nation as n
import power
from fault import Fault, answers


class OnDisks(Fault):
    """Each daemon has a disk of its own, which forgets."""
    lie = False

    def prepare(self, daemon):
        daemon.disk = power.Disk(daemon.folder, linger_us=1500, lie=self.lie)
        daemon.environment.update(daemon.disk.environment)

    def start(self, daemons):
        for daemon in daemons:
            daemon.start(wait=False)
        for daemon in daemons:
            try:
                n.wait_for("%s answers" % daemon.name, lambda daemon=daemon: answers(daemon), every=0.01)
            except n.Failed as e:
                raise n.Failed("seed %d, round %d: %s" % (self.seed, self.round, e)) from None
