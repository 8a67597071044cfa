*** Settings ***
Resource            ../report.resource

*** Test Cases ***
Pod Checkpoint And Restore Via Propagator API
    [Documentation]    Short.
    No Operation
    Deploy
    GROUP    Polling checkpoint status
        Set Step Outcome    [COMPLETED]
    END
    FOR    ${what}    IN    pod    service
        GROUP    Verifying ${what} state
            Set Step Outcome    continued: step 12 -> 13 of nonce 5f3a..
        END
    END
    GROUP    A step with a name that is so long that there is hardly any room left for its time
        No Operation
    END
    IF    False
        GROUP    Never run
            No Operation
        END
    END
    GROUP
        No Operation
    END
    [Teardown]    Clean Up

Fails In A Step
    Deploy
    GROUP    Restoring pod via API
        Fail    Expected: the restore to end within 60 s\nSeen: it runs\nCause: restore-timeout (product)
    END
    GROUP    Not run any more
        No Operation
    END
    [Teardown]    Clean Up

Fails With A Long Line
    Deploy
    Fail    Expected: a line that is longer than the line of a console, which has to be cut somewhere

Warns
    GROUP    Deploying with a warning
        Log    watch out    level=WARN
    END
    GROUP    Deploying with words
        Log To Console    hello
        Set Step Outcome    said hello
    END

Skips
    GROUP    Looking for a GPU
        Skip    no GPU here
    END

Fails Before Any Step
    Fail    early

Goes On After A Caught Failure
    TRY
        GROUP    Trying
            Fail    caught
        END
    EXCEPT    caught
        No Operation
    END

No Steps
    No Operation

Outcome Outside Of A Step
    Set Step Outcome    nobody sees this on the console

*** Keywords ***
Deploy
    GROUP    Deploying test nginx pod
        No Operation
    END

Clean Up
    GROUP    Cleaning up checkpoint
        No Operation
    END
