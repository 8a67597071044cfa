*** Settings ***
Documentation       The suite says ${SECRET}
Metadata            Told    by metadata ${SECRET}
Resource            report.resource
Suite Setup         Log    ${SECRET}
Suite Teardown      Log    suite teardown ${SECRET}

*** Test Cases ***
Logs
    Log Everywhere    ${SECRET}
    Log    ${SECRET}
    Log    ${SECRET}    level=WARN
    Log    ${SECRET}    html=True
    Log Many    ${SECRET}    a=${SECRET}
    Log To Console    ${SECRET}
    Log Variables

Fails With It
    [Documentation]    Documentation with ${SECRET}
    [Tags]    tag-${SECRET}
    Fail    before ${SECRET} after

Name With ${SECRET}
    No Operation

Metadata
    [Metadata]    Token    ${SECRET}
    Set Test Metadata    Other    ${SECRET}
    Set Suite Metadata    Third    ${SECRET}
    Set Test Documentation    ${SECRET}
    Set Suite Documentation    ${SECRET}
    Set Tags    ${SECRET}
    Set Test Message    ${SECRET}

Return And Assign
    ${x}=    The Secret
    ${y}=    Returns Much    ${x}
    ${z}=    Returns Long    ${x}
    ${x: str}=    Set Variable    ${x}
    VAR    ${v}    ${x}    scope=TEST
    VAR    ${w}    a    ${x}    separator=${x}
    VAR    @{l}    ${x}    b
    VAR    &{d}    k=${x}
    Set Suite Variable    ${s}    ${x}
    ${q}=    User Keyword    ${x}
    Run Other    ${x}
    Log    literal s3cr3t-t0ken/with+odd&<chars>-tail9x7q
    User Keyword    s3cr3t-t0ken/with+odd&<chars>-tail9x7q

Structures
    GROUP    Group ${SECRET}
        Log    ${SECRET}
    END
    IF    $SECRET == 's3cr3t-t0ken/with+odd&<chars>-tail9x7q'    Log    ${SECRET}
    FOR    ${i}    IN    ${SECRET}    s3cr3t-t0ken/with+odd&<chars>-tail9x7q
        Log    ${i}
    END
    FOR    ${i}    ${j}    IN ZIP    ${{['a']}}    ${{['a', 'b']}}    mode=LONGEST    fill=${SECRET}
        Log    ${j}
    END
    TRY
        Fail    ${SECRET}
    EXCEPT    s3cr3t-t0ken/with+odd&<chars>-tail9x7q    AS    ${err}
        Log    ${err}
    END
    TRY
        WHILE    True    limit=2    on_limit_message=limit ${SECRET}
            No Operation
        END
    EXCEPT    *    type=GLOB
        Log    ${SECRET}
    END
    ${status}    ${message}=    Run Keyword And Ignore Error    Raise With    ${SECRET}
    Should Be Equal    ${message}    before ${SECRET} after
    Run Keyword And Expect Error    *    Raise With    ${SECRET}
    Wait Until Keyword Succeeds    2x    1ms    Log    ${SECRET}

Templated
    [Template]    Run Keyword And Continue On Failure
    Fail    ${SECRET}
    Raise With    ${SECRET}

Raises
    Raise With    ${SECRET}

Chained
    Raise Chained    ${SECRET}

Url Encoded
    Raise Url Encoded    ${SECRET}

Base 64
    Raise Base 64    ${SECRET}

Error
    Raise Error    ${SECRET}

No Such Keyword
    No Such Keyword ${SECRET}

Wrong Arguments
    Should Be Equal    ${SECRET}
    Should Be Equal As Integers    ${SECRET}    1

Skips
    Skip    skipped ${SECRET}

Passes
    Pass Execution    passed ${SECRET}
    Fail    Pass Execution had no effect

Group Fails
    GROUP    Failing ${SECRET}
        Fail    ${SECRET}
    END

Timeout
    [Timeout]    0.1 s
    Sleep    5 s    ${SECRET}

Teardown Fails
    No Operation
    [Teardown]    Fail    teardown ${SECRET}

Fatal Stays Fatal
    Raise Fatal    ${SECRET}

Not Run After Fatal
    No Operation

*** Keywords ***
User Keyword
    [Documentation]    Doc ${SECRET}
    [Arguments]    ${x}    ${y}=${SECRET}
    [Tags]    kw-${SECRET}
    [Timeout]    1 min
    Log    ${x}
    RETURN    ${x}
