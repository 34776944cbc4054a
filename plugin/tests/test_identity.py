"""The agent's account, in OctoPrint's own user manager."""

import pytest
from octoprint.access.groups import FilebasedGroupManager
from octoprint.access.permissions import Permissions
from octoprint.access.users import FilebasedUserManager
from octoprint.settings import Settings as OctoPrintSettings
from test_fetch import fault_of

from octoprint_factor_mqtt.identity import PERMISSIONS, Identity


class Settings:
    """A plugin's settings, as far as it is asked."""

    def __init__(self, key=None):
        self.key = key

    def global_get(self, path):
        return self.key if path == ["api", "key"] else None


def manager(tmp_path):
    groups = FilebasedGroupManager(path=str(tmp_path / "groups.yaml"))
    return FilebasedUserManager(groups, path=str(tmp_path / "users.yaml"), settings=OctoPrintSettings(basedir=str(tmp_path)))


@pytest.fixture
def users(tmp_path):
    users = manager(tmp_path)
    users.add_user("owner", "secret", active=True, permissions=[Permissions.ADMIN], groups=[])
    return users


@pytest.fixture
def identity(users, logger):
    return Identity(users, Settings(), Permissions, logger)


def test_it_may_do_what_it_needs_and_no_more(users, identity):
    key = identity.key()
    user = users.find_user(apikey=key)
    assert user.get_name() == "factor"
    assert {p.key for p in user.permissions} == set(PERMISSIONS)
    everybodys = () if user.groups else ("MONITOR_TERMINAL", "SETTINGS_READ")  # OctoPrint 1.4 has a group for all
    for name in ("ADMIN", "SETTINGS", "SYSTEM", *everybodys):
        assert not user.has_permission(getattr(Permissions, name))
    assert user.has_permission(Permissions.STATUS)


def test_a_new_key_each_time_and_none_at_the_end(users, identity):
    first, second = identity.key(), identity.key()
    assert first != second
    assert users.find_user(apikey=first) is None
    identity.end()
    assert users.find_user(apikey=second) is None
    assert users.find_user("factor") is not None


def test_it_is_known_again_with_what_the_owner_ticked(users, identity, logger):
    identity.key()
    users.add_permissions_to_user("factor", [Permissions.SYSTEM])
    again = Identity(users, Settings(), Permissions, logger)
    assert users.find_user(apikey=again.key()).has_permission(Permissions.SYSTEM)
    assert len(users.get_all_users()) == 2


def test_a_person_of_that_name_stays_who_they_are(users, identity):
    users.add_user("factor", "secret", active=True, permissions=[Permissions.ADMIN], groups=[])
    assert users.find_user(apikey=identity.key()).get_name() == "factor-2"
    assert users.find_user("factor").as_dict().get("apikey") is None


def test_octoprints_own_set_up_comes_first(tmp_path, logger):
    nobody = manager(tmp_path)
    assert fault_of(Identity(nobody, Settings(), Permissions, logger).key) == "octoprint_identity"
    assert not nobody.has_been_customized()


def test_an_account_removed_meanwhile_is_made_again(users, identity):
    identity.key()
    users.remove_user("factor")
    assert fault_of(identity.key) == "octoprint_identity"  # noticed
    assert users.find_user(apikey=identity.key()).get_name() == "factor"


def test_octoprint_without_access_control(logger):
    class Off:
        enabled = False

    assert Identity(Off(), Settings("GLOBAL"), Permissions, logger).key() == "GLOBAL"
    assert fault_of(Identity(Off(), Settings(), Permissions, logger).key) == "octoprint_identity"
