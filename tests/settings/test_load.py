"""Where settings come from, which one wins, and how a wrong one is told."""

from pathlib import Path

import pytest

from reelway.settings import SettingsInvalid, all_accounts, load_settings, unknown_variables

ACCOUNT = '[[account]]\nname = "box"\nvendor = "openai_videos"\nbase_url = "http://10.0.0.5:8000/v1"\n'


def _problems(**given: object) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as invalid:
        load_settings(**given)
    return invalid.value.problems


def test_nothing_needs_to_be_set(empty: Path) -> None:
    """Loopback, SQLite and local files in the user's data folder."""
    settings = load_settings()

    assert settings.address == "http://127.0.0.1:8080"
    assert settings.data_dir == empty / "home/.local/share/reelway"
    assert settings.database == f"sqlite:///{settings.data_dir}/reelway.db"
    assert settings.assets == f"file://{settings.data_dir}/assets"


def test_the_data_folder_follows_xdg(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`XDG_DATA_HOME` counts when it is absolute, as its specification says."""
    monkeypatch.setenv("XDG_DATA_HOME", str(empty / "xdg"))
    assert load_settings().data_dir == empty / "xdg/reelway"

    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert load_settings().data_dir == empty / "home/.local/share/reelway"


def test_options_win_over_variables_and_these_over_the_file(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer to the command, the stronger."""
    (empty / "reelway.toml").write_text('port = 1\nhost = "a"\nlog_level = "debug"\n')
    monkeypatch.setenv("REELWAY_PORT", "2")
    monkeypatch.setenv("REELWAY_HOST", "b")

    settings = load_settings(port=3, host=None)

    assert (settings.port, settings.host, settings.log_level) == (3, "b", "debug")


def test_the_file_is_looked_for_in_order(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by option, named by variable, here, in the data folder."""
    data = empty / "home/.local/share/reelway"
    data.mkdir(parents=True)
    for number, path in enumerate(
        (data / "reelway.toml", empty / "reelway.toml", empty / "a.toml", empty / "b.toml"), 1
    ):
        path.write_text(f"port = {number}\n")

    monkeypatch.setenv("REELWAY_CONFIG", "a.toml")
    assert load_settings(config=Path("b.toml")).port == 4
    assert load_settings().port == 3
    monkeypatch.delenv("REELWAY_CONFIG")
    assert load_settings().port == 2
    (empty / "reelway.toml").unlink()
    assert load_settings().port == 1


def test_an_empty_variable_is_not_set(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`REELWAY_PORT=` means the default, as in compose files."""
    monkeypatch.setenv("REELWAY_PORT", "")

    assert load_settings().port == 8080


def test_every_problem_names_its_place(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them at once: option, variable, and line of thought in the file."""
    (empty / "reelway.toml").write_text('prot = 1\nlog_level = "loud"\n' + ACCOUNT + "weight = 0\n")
    monkeypatch.setenv("REELWAY_PORT", "99999")

    problems = _problems(sandbox="maybe")

    file = empty / "reelway.toml"
    assert set(problems) == {
        "--sandbox: input should be 'auto', 'on' or 'off' (got 'maybe').",
        "REELWAY_PORT: input should be less than or equal to 65535 (got '99999').",
        f"[[account]] number 1 weight in {file}: input should be greater than or equal to 1 (got 0).",
        f"log_level in {file}: input should be 'debug', 'info', 'warning' or 'error' (got 'loud').",
        f"prot in {file}: there is no such setting; look for a misspelling (docs/configuration.md lists them all).",
    }


def test_a_wrong_secret_is_not_repeated(empty: Path) -> None:
    """Problems are printed and logged, so they hold no secrets."""
    (empty / "reelway.toml").write_text('api_key = ["hush"]\n' + ACCOUNT + 'secrets = { access_key = ["hush"] }\n')

    problems = _problems()

    assert len(problems) == 2
    assert "hush" not in " ".join(problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("port = ", "is not valid TOML"),
        ("poll_shortest_seconds = 30", "make it the smaller one"),
        (ACCOUNT + ACCOUNT, "two accounts are called 'box'"),
        (ACCOUNT.replace("http://", ""), "must be an address that begins with http:// or https://"),
        (ACCOUNT.replace("box", "Box!"), "name in"),
        (ACCOUNT + "models = 7", 'must be "*", a list'),
        (ACCOUNT + 'key_env = "NOT_THERE"', "the variable NOT_THERE is not set"),
        (ACCOUNT + 'key_env = "HOME"\nkey = "x"', "has both key and key_env"),
    ],
)
def test_what_cannot_be_used_is_told(empty: Path, text: str, expected: str) -> None:
    """Each problem says what is wrong and what would be right."""
    data = empty / "data"
    data.mkdir()
    (data / "reelway.toml").write_text(text)

    problems = " ".join(_problems(data_dir=data))

    assert expected in problems
    assert str(data / "reelway.toml") in problems


def test_a_file_in_the_data_folder_cannot_name_another_one(empty: Path) -> None:
    """Which folder would it be? One of the two places must go."""
    (empty / "reelway.toml").write_text('data_dir = "/elsewhere"')

    assert "remove it" in _problems(data_dir=empty)[0]
    assert load_settings(config=empty / "reelway.toml").data_dir == Path("/elsewhere")


def test_a_file_that_is_named_must_be_there(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in a path is not passed over."""
    assert _problems(config=Path("gone.toml"))[0].startswith("--config: there is no file")

    monkeypatch.setenv("REELWAY_CONFIG", "gone.toml")
    assert _problems()[0].startswith("REELWAY_CONFIG: there is no file")


def test_a_table_cannot_be_a_variable(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says where it belongs."""
    monkeypatch.setenv("REELWAY_ALIASES", "{}")

    assert _problems() == (
        "REELWAY_ALIASES: this is a table and cannot be a variable; write [aliases] in reelway.toml.",
    )


def test_misspelt_variables_are_found() -> None:
    """Known ones, also those of tests and of the client, are not."""
    names = (
        "REELWAY_PROT",
        "REELWAY_PORT",
        "REELWAY_URL",
        "REELWAY_CONFIG",
        "REELWAY_OPENAI_BASE_URL",
        "PATH",
        "REELWAY_OPENAI_SERVICE",
    )

    assert unknown_variables(dict.fromkeys(names, "x")) == ("REELWAY_PROT",)


def test_models_of_an_account_are_written_in_three_ways(empty: Path) -> None:
    """All, a list, or a table; each becomes a table."""
    for text, expected in (
        ('models = "*"', {}),
        ('models = ["a", "b"]', {"a": "{model}", "b": "{model}"}),
        ('models = { a = "x", "*" = "{model}" }', {"a": "x", "*": "{model}"}),
    ):
        (empty / "reelway.toml").write_text(ACCOUNT + text)
        assert load_settings().accounts[0].models == expected


def test_a_key_comes_from_its_variable(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`key_env` is resolved once, and printing the account shows no key."""
    monkeypatch.setenv("BOX_KEY", "sk-hush")
    (empty / "reelway.toml").write_text(ACCOUNT + 'key_env = "BOX_KEY"')

    account = load_settings().accounts[0]

    assert account.credential() == {"api_key": "sk-hush"}
    assert "sk-hush" not in repr(account)


def test_the_file_wins_over_variables_of_the_same_account(empty: Path) -> None:
    """An account called like one from variables replaces it."""
    (empty / "reelway.toml").write_text(ACCOUNT.replace("box", "openai"))
    environment = {"OPENAI_API_KEY": "sk", "OPENAI_BASE_URL": "https://other.example/v1", "XAI_API_KEY": "x"}

    accounts = all_accounts(load_settings(), environment)

    assert [(account.name, account.base_url) for account in accounts] == [
        ("openai", "http://10.0.0.5:8000/v1"),
        ("xai", "https://api.x.ai"),
    ]


def test_the_address_is_one_a_program_can_use() -> None:
    """Wildcards become loopback, and IPv6 gets its brackets."""
    assert load_settings(host="0.0.0.0", port=1).address == "http://127.0.0.1:1"
    assert load_settings(host="::1", port=1).address == "http://[::1]:1"


def test_what_the_sandbox_is_told_is_one_text(empty: Path) -> None:
    """Delay and faults are directives, the same as in a prompt."""
    assert load_settings().sandbox_directives == ""
    assert load_settings(sandbox_render_seconds=2, sandbox_faults="[[moderation]]").sandbox_directives == (
        "[[delay:2]][[moderation]]"
    )
